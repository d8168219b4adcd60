package pebble

import (
	"context"
	"fmt"
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

func mustClose(t testing.TB, c *storage.Client) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// mustDo does requests none of which may fail.
func mustDo(t testing.TB, c *storage.Client, ops ...storage.Op) []storage.Result {
	t.Helper()
	results, err := c.Do(context.Background(), ops...)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil {
			t.Fatalf("kind %d of %q: %v", r.Kind, r.Name, r.Err)
		}
	}
	return results
}

// do does one request.
func do(t testing.TB, c *storage.Client, op storage.Op) storage.Result {
	t.Helper()
	results, err := c.Do(context.Background(), op)
	if err != nil {
		t.Fatal(err)
	}
	return results[0]
}

func mustName(t testing.TB, s string) storage.Name {
	t.Helper()
	n, err := storage.FoldName(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// numbered is the i-th account of a test.
func numbered(i int) *storage.Account {
	n, err := storage.FoldName(fmt.Sprintf("player%d", i))
	if err != nil {
		panic(err)
	}
	a := &storage.Account{Name: n, Created: int64(1_700_000_000 + i)}
	a.Grunt.Set = true
	for j := range a.Grunt.Salt {
		a.Grunt.Salt[j], a.Grunt.Verifier[j] = byte(i*j+i>>8), byte(i*j*7+j)
	}
	return a
}

func create(a *storage.Account) storage.Op { return storage.Op{Kind: storage.OpCreate, Account: a} }

// fill makes accounts number from up to to.
func fill(t testing.TB, c *storage.Client, from, to int) {
	t.Helper()
	for from < to {
		n := min(to-from, 20_000)
		ops := make([]storage.Op, n)
		for i := range ops {
			ops[i] = create(numbered(from + i))
		}
		mustDo(t, c, ops...)
		from += n
	}
}
