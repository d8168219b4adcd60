package pebble

import (
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"gatepass/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// mustOpen opens a client on fs; the test closes it.
func mustOpen(t testing.TB, fs vfs.FS) *storage.Client {
	t.Helper()
	c, err := OpenClient(Options{Dir: "data/store", FS: fs, FlushEvery: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}
