package pebble

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"gatepass/storage"
	"gatepass/storage/storagetest"
)

// bareWriter is a writer on a database that is not behind its failStop, so that it
// sees the database's errors.
type bareWriter struct {
	*writer
	mu      sync.Mutex
	results []storage.Result
	changed chan struct{}
}

func startBareWriter(t *testing.T, db *pebble.DB) *bareWriter {
	t.Helper()
	b := &bareWriter{changed: make(chan struct{}, 64)}
	o := Options{Dir: "x", Deliver: func(r []storage.Result) {
		b.mu.Lock()
		b.results = append(b.results, r...)
		b.mu.Unlock()
		b.changed <- struct{}{}
	}}
	o.EnsureDefaults()
	b.writer = startWriter(db, newFailStop(vfs.NewMem()), &o)
	t.Cleanup(func() {
		b.queue.close()
		b.stop()
	})
	return b
}

// answerTo pushes one request and waits for its result.
func (b *bareWriter) answerTo(op storage.Op) storage.Result {
	b.queue.push([]storage.Op{op}, true)
	<-b.changed
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.results[len(b.results)-1]
}

// A note or change that Pebble refuses is not acknowledged, and all later ones are refused.
func TestWriter_ApplyFails(t *testing.T) {
	fs := vfs.NewMem()
	db, err := pebble.Open("x", &pebble.Options{FS: fs})
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, op := range map[string]storage.Op{
		"note":   {Kind: storage.OpLogin, Name: storagetest.Account(1).Name},
		"change": storagetest.Create(storagetest.Account(1)),
	} {
		t.Run(name, func(t *testing.T) {
			db, err := pebble.Open("x", &pebble.Options{FS: fs, ReadOnly: true}) // it takes no batch
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
			w := startBareWriter(t, db)
			for range 2 {
				if r := w.answerTo(op); !errors.Is(r.Err, storage.ErrFailed) || !errors.Is(r.Err, pebble.ErrReadOnly) {
					t.Fatal(r.Err)
				}
			}
		})
	}
}

// A group whose sync fails is not acknowledged.
func TestWriter_SyncFails(t *testing.T) {
	var sick atomic.Bool
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if sick.Load() && (op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSyncTo) {
			return errorfs.ErrInjected
		}
		return nil
	}))
	db, err := pebble.Open("x", &pebble.Options{FS: fs, Logger: pebbleLogger{failStop: newFailStop(fs), log: slog.New(slog.DiscardHandler)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		sick.Store(false)
		_ = db.Close() // it tells of the sync again
	})
	w := startBareWriter(t, db)
	if r := w.answerTo(storagetest.Create(storagetest.Account(1))); r.Err != nil {
		t.Fatal(r.Err)
	}
	sick.Store(true)
	if r := w.answerTo(storagetest.Create(storagetest.Account(2))); !errors.Is(r.Err, storage.ErrFailed) || !errors.Is(r.Err, errorfs.ErrInjected) {
		t.Fatal(r.Err)
	}
}
