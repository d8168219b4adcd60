package pebble

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"gatepass/storage"
	"gatepass/storage/storagetest"
)

// A failure is reported although no write is in progress, reads are answered, and no further
// write is acknowledged.
func TestFailStop_StopsWritesOnly(t *testing.T) {
	cause, told := errors.New("no more disk"), make(chan error, 2)
	c, err := OpenClient(Options{Dir: "x", FS: vfs.NewMem(), OnFatal: func(err error) { told <- err }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	storagetest.Fill(t, c, 1, 2)
	c.Store().(*Store).failStop.fail(cause)
	c.Store().(*Store).failStop.fail(errors.New("a second one"))
	if err := <-told; !errors.Is(err, storage.ErrFailed) || !errors.Is(err, cause) {
		t.Fatal(err)
	}
	storagetest.MustDo(t, c, storage.Op{Kind: storage.OpGet, Name: storagetest.Account(1).Name})
	for _, op := range []storage.Op{storagetest.Create(storagetest.Account(2)), {Kind: storage.OpLogin, Name: storagetest.Account(1).Name}} {
		if r := storagetest.Do(t, c, op); !errors.Is(r.Err, cause) {
			t.Fatalf("kind %d: %v", op.Kind, r.Err)
		}
	}
	for range 2 {
		if err := c.Close(); !errors.Is(err, cause) {
			t.Fatal(err)
		}
	}
	if len(told) != 0 {
		t.Fatal("told twice")
	}
}

// What Pebble calls fatal stops the writes and not the process.
func TestPebbleLogger_Fatalf_StopsWrites(t *testing.T) {
	var out strings.Builder
	f := newFailStop(vfs.NewMem())
	l := pebbleLogger{log: slog.New(slog.NewTextHandler(&out, nil)), failStop: f}
	l.Infof("unseen %d", 1)
	l.Errorf("warned %d", 2)
	if f.failure() != nil {
		t.Fatal("an error is not fatal")
	}
	l.Fatalf("gone %d", 3)
	if err := f.failure(); !errors.Is(err, storage.ErrFailed) || !strings.Contains(err.Error(), "gone 3") {
		t.Fatal(err)
	}
	if s := out.String(); strings.Contains(s, "unseen") || !strings.Contains(s, "warned 2") || !strings.Contains(s, "gone 3") {
		t.Fatal(s)
	}
}
