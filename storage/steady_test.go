package storage

import (
	"errors"
	"log/slog"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// fillableDisk is a disk in memory that can be full.
type fillableDisk struct {
	vfs.FS
	full atomic.Bool
}

func newFillableDisk() *fillableDisk {
	d := new(fillableDisk)
	d.FS = errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		switch op.Kind {
		case errorfs.OpLock, errorfs.OpFileClose, errorfs.OpRemove: // they need no room
			return nil
		}
		if d.full.Load() && op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			return syscall.ENOSPC
		}
		return nil
	}))
	return d
}

// steadyRig is a Steady with a client.
type steadyRig struct {
	*Client
	steady *Steady
	log    *lockedText
}

func openSteady(t *testing.T, disk vfs.FS) *steadyRig {
	t.Helper()
	r := &steadyRig{log: new(lockedText)}
	var err error
	r.Client, err = NewClient(nil, func(deliver func([]Result)) (_ Store, err error) {
		r.steady, err = OpenSteady(Options{
			Dir: "data/store", FS: disk, Deliver: deliver, RetryEvery: time.Millisecond, FlushEvery: time.Millisecond,
			Logger:  slog.New(slog.NewTextHandler(r.log, nil)),
			OnFatal: func(err error) { t.Errorf("fatal: %v", err) },
		})
		return r.steady, err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mustClose(t, r.Client) })
	return r
}

// takesWrites waits until changes are taken, or are not.
func (r *steadyRig) takesWrites(t *testing.T, want bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); (r.steady.Trouble() == nil) != want; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("takes writes: %v, want %v", !want, want)
		}
	}
}

// On a full disk reads go on and see what was acknowledged, changes are refused with the
// reason, notes are counted; with room again changes are taken.
func TestSteady_FullDisk(t *testing.T) {
	disk := newFillableDisk()
	r := openSteady(t, disk)
	fill(t, r.Client, 0, 100)
	for round := range 3 {
		n := 100 + 10*round
		disk.full.Store(true)
		if got := do(t, r.Client, create(numbered(n))); !errors.Is(got.Err, ErrFailed) || !errors.Is(got.Err, syscall.ENOSPC) {
			t.Fatalf("a change on a full disk: %v", got.Err)
		}
		r.takesWrites(t, false)
		before := r.steady.Stats().NotesDropped
		for i := range 100 {
			if got := do(t, r.Client, Op{Kind: OpGet, Name: numbered(i).Name}); got.Err != nil {
				t.Fatalf("a read on a full disk: %v", got.Err)
			}
			note := Op{Kind: OpLogin, Name: numbered(i).Name, At: 1, Synced: i%2 == 0}
			if got := do(t, r.Client, note); !errors.Is(got.Err, syscall.ENOSPC) {
				t.Fatalf("a note on a full disk: %v", got.Err)
			}
		}
		if got := do(t, r.Client, Op{Kind: OpBan, Name: numbered(1).Name}); !errors.Is(got.Err, syscall.ENOSPC) {
			t.Fatalf("a change on a full disk: %v", got.Err)
		}
		if dropped := r.steady.Stats().NotesDropped - before; dropped != 100 {
			t.Errorf("%d notes are counted, want 100", dropped)
		}
		disk.full.Store(false)
		r.takesWrites(t, true)
		if a := do(t, r.Client, Op{Kind: OpGet, Name: numbered(1).Name}).Account; a.Ban.Set {
			t.Error("a change that was refused has been made")
		}
		mustDo(t, r.Client, create(numbered(n+1)), Op{Kind: OpLogin, Name: numbered(0).Name, At: 5, Synced: true})
	}
	if refusing, again := r.log.count("takes no writes"), r.log.count("takes writes again"); refusing != 3 || again != 3 {
		t.Errorf("said %d times that it takes no writes and %d times that it does again, want 3 each\n%s", refusing, again, r.log)
	}
	mustClose(t, r.Client)
	c := mustOpen(t, disk)
	for _, n := range []int{0, 99, 101, 111, 121} {
		if got := do(t, c, Op{Kind: OpGet, Name: numbered(n).Name}); got.Err != nil {
			t.Errorf("account %d: %v", n, got.Err)
		}
	}
}

// A store can be opened on a disk that is full already.
func TestSteady_FullAtTheStart(t *testing.T) {
	disk := newFillableDisk()
	c := mustOpen(t, disk)
	fill(t, c, 0, 10)
	mustClose(t, c)
	disk.full.Store(true)
	r := openSteady(t, disk)
	if err := r.steady.Trouble(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("trouble: %v", err)
	}
	if got := do(t, r.Client, Op{Kind: OpGet, Name: numbered(1).Name}); got.Err != nil {
		t.Error(got.Err)
	}
	disk.full.Store(false)
	r.takesWrites(t, true)
	mustDo(t, r.Client, create(numbered(10)))
}

// Nothing can be made on a full disk.
func TestSteady_FullAndNothingThere(t *testing.T) {
	disk := newFillableDisk()
	disk.full.Store(true)
	if _, err := OpenSteady(Options{Dir: "data/store", FS: disk}); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v", err)
	}
}

// Who asks while the store comes and goes gets exactly one answer each, and what was
// acknowledged stays.
func TestSteady_EveryRequestIsAnswered(t *testing.T) {
	disk := newFillableDisk()
	r := openSteady(t, disk)
	stop := make(chan struct{})
	done := make(chan []int)
	for w := range 4 {
		go func() {
			var stored []int
			for i := w * 1_000_000; ; i++ {
				select {
				case <-stop:
					done <- stored
					return
				default:
				}
				results, err := r.Do(t.Context(), create(numbered(i)), Op{Kind: OpGet, Name: numbered(i).Name})
				if err != nil {
					t.Errorf("account %d: %v", i, err)
				} else if results[0].Err == nil {
					stored = append(stored, i)
				}
			}
		}()
	}
	for range 5 {
		disk.full.Store(true)
		r.takesWrites(t, false)
		disk.full.Store(false)
		r.takesWrites(t, true)
	}
	close(stop)
	stored := 0
	for range 4 {
		for _, n := range <-done {
			stored++
			if got := do(t, r.Client, Op{Kind: OpGet, Name: numbered(n).Name}); got.Err != nil {
				t.Fatalf("account %d was stored: %v", n, got.Err)
			}
		}
	}
	t.Logf("%d accounts stored", stored)
}
