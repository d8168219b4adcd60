package pebble

import (
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"gatepass/storage"
	"gatepass/storage/storagetest"
)

// fillableDisk is a disk in memory that can be made full or unreadable.
type fillableDisk struct {
	vfs.FS
	full, unreadable atomic.Bool
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
		if d.unreadable.Load() && op.Kind.ReadOrWrite() == errorfs.OpIsRead {
			return syscall.EIO
		}
		return nil
	}))
	return d
}

// steadyRig is a Steady with a client.
type steadyRig struct {
	*storage.Client
	steady *Steady
	log    *lockedText
}

func openSteady(t *testing.T, disk vfs.FS) *steadyRig {
	t.Helper()
	r := &steadyRig{log: new(lockedText)}
	var err error
	r.Client, err = storage.NewClient(nil, func(deliver func([]storage.Result)) (_ storage.Store, err error) {
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
	t.Cleanup(func() { storagetest.MustClose(t, r.Client) })
	return r
}

// takesWrites waits until changes are taken, or refused.
func (r *steadyRig) takesWrites(t *testing.T, want bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); (r.steady.WriteTrouble() == nil) != want; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("takes writes: %v, want %v", !want, want)
		}
	}
}

// On a full disk reads return acknowledged changes, changes are refused with the reason, and
// notes are counted. Once there is space, changes are taken.
func TestSteady_FullDisk(t *testing.T) {
	disk := newFillableDisk()
	r := openSteady(t, disk)
	storagetest.Fill(t, r.Client, 0, 100)
	for round := range 3 {
		n := 100 + 10*round
		disk.full.Store(true)
		if got := storagetest.Do(t, r.Client, storagetest.Create(storagetest.Account(n))); !errors.Is(got.Err, storage.ErrFailed) || !errors.Is(got.Err, syscall.ENOSPC) {
			t.Fatalf("a change on a full disk: %v", got.Err)
		}
		r.takesWrites(t, false)
		before := r.steady.Stats().NotesDropped
		for i := range 100 {
			if got := storagetest.Do(t, r.Client, storage.Op{Kind: storage.OpGet, Name: storagetest.Account(i).Name}); got.Err != nil {
				t.Fatalf("a read on a full disk: %v", got.Err)
			}
			note := storage.Op{Kind: storage.OpLogin, Name: storagetest.Account(i).Name, At: 1, Synced: i%2 == 0}
			if got := storagetest.Do(t, r.Client, note); !errors.Is(got.Err, syscall.ENOSPC) {
				t.Fatalf("a note on a full disk: %v", got.Err)
			}
		}
		if got := storagetest.Do(t, r.Client, storage.Op{Kind: storage.OpBan, Name: storagetest.Account(1).Name}); !errors.Is(got.Err, syscall.ENOSPC) {
			t.Fatalf("a change on a full disk: %v", got.Err)
		}
		if dropped := r.steady.Stats().NotesDropped - before; dropped != 100 {
			t.Errorf("%d notes are counted, want 100", dropped)
		}
		disk.full.Store(false)
		r.takesWrites(t, true)
		if a := storagetest.Do(t, r.Client, storage.Op{Kind: storage.OpGet, Name: storagetest.Account(1).Name}).Account; a.Ban.Set {
			t.Error("a change that was refused has been made")
		}
		storagetest.MustDo(t, r.Client, storagetest.Create(storagetest.Account(n+1)), storage.Op{Kind: storage.OpLogin, Name: storagetest.Account(0).Name, At: 5, Synced: true})
	}
	if refusing, again := r.log.count("takes no writes"), r.log.count("takes writes again"); refusing != 3 || again != 3 {
		t.Errorf("said %d times that it takes no writes and %d times that it does again, want 3 each\n%s", refusing, again, r.log)
	}
	storagetest.MustClose(t, r.Client)
	c := mustOpen(t, disk)
	for _, n := range []int{0, 99, 101, 111, 121} {
		if got := storagetest.Do(t, c, storage.Op{Kind: storage.OpGet, Name: storagetest.Account(n).Name}); got.Err != nil {
			t.Errorf("account %d: %v", n, got.Err)
		}
	}
}

// A store can be opened on a full disk.
func TestSteady_FullAtTheStart(t *testing.T) {
	disk := newFillableDisk()
	c := mustOpen(t, disk)
	storagetest.Fill(t, c, 0, 10)
	storagetest.MustClose(t, c)
	disk.full.Store(true)
	r := openSteady(t, disk)
	if err := r.steady.WriteTrouble(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("trouble: %v", err)
	}
	if got := storagetest.Do(t, r.Client, storage.Op{Kind: storage.OpGet, Name: storagetest.Account(1).Name}); got.Err != nil {
		t.Error(got.Err)
	}
	disk.full.Store(false)
	r.takesWrites(t, true)
	storagetest.MustDo(t, r.Client, storagetest.Create(storagetest.Account(10)))
}

// No store can be created on a full disk.
func TestSteady_FullAndNothingThere(t *testing.T) {
	disk := newFillableDisk()
	disk.full.Store(true)
	if _, err := OpenSteady(Options{Dir: "data/store", FS: disk}); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v", err)
	}
}

// While the disk fills and empties, each request gets exactly one result, and acknowledged
// changes stay.
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
				results, err := r.Do(t.Context(), storagetest.Create(storagetest.Account(i)), storage.Op{Kind: storage.OpGet, Name: storagetest.Account(i).Name})
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
			if got := storagetest.Do(t, r.Client, storage.Op{Kind: storage.OpGet, Name: storagetest.Account(n).Name}); got.Err != nil {
				t.Fatalf("account %d was stored: %v", n, got.Err)
			}
		}
	}
	t.Logf("%d accounts stored", stored)
}

// While the store can be opened neither for writing nor for reading, reads get an
// ErrReadFailed and changes an ErrFailed, and ReadTrouble says so. Reads are answered as
// soon as it can be opened.
func TestSteady_CannotBeRead(t *testing.T) {
	disk := newFillableDisk()
	r := openSteady(t, disk)
	storagetest.Fill(t, r.Client, 0, 10)
	disk.unreadable.Store(true)
	disk.full.Store(true)
	if got := storagetest.Do(t, r.Client, storagetest.Create(storagetest.Account(10))); !errors.Is(got.Err, syscall.ENOSPC) {
		t.Fatalf("a change on a full disk: %v", got.Err)
	}
	for end := time.Now().Add(20 * time.Second); r.steady.ReadTrouble() == nil; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a store that cannot be opened is said to be readable")
		}
	}
	name := storagetest.Account(1).Name
	for _, kind := range storage.OpKinds() {
		op := storage.Op{Kind: kind, Name: name, Device: new(storage.Device), Limit: 1, At: 1}
		got := storagetest.Do(t, r.Client, op)
		if classOf(&op) != classRead {
			if !errors.Is(got.Err, storage.ErrFailed) || errors.Is(got.Err, storage.ErrReadFailed) {
				t.Errorf("%v: %v", kind, got.Err)
			}
			continue
		}
		if !errors.Is(got.Err, storage.ErrReadFailed) || !errors.Is(got.Err, syscall.EIO) || errors.Is(got.Err, storage.ErrFailed) || strings.Contains(got.Err.Error(), "write") {
			t.Errorf("%v: %v", kind, got.Err)
		}
	}
	disk.unreadable.Store(false)
	for end := time.Now().Add(20 * time.Second); r.steady.ReadTrouble() != nil; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it is not read again")
		}
	}
	if got := storagetest.Do(t, r.Client, storage.Op{Kind: storage.OpGet, Name: name}); got.Err != nil {
		t.Error(got.Err)
	}
	if n := r.log.count("cannot be opened for reading"); n != 1 {
		t.Errorf("said %d times that it cannot be read\n%s", n, r.log)
	}
}

// A failed read is never reported as a failed write, also within a change.
func TestReads_DiskError(t *testing.T) {
	disk := newFillableDisk()
	c := mustOpen(t, disk)
	storagetest.Fill(t, c, 0, 2000)
	if err := c.Store().(*Store).db.Flush(); err != nil {
		t.Fatal(err)
	}
	storagetest.MustClose(t, c)
	c = mustOpen(t, disk)
	disk.unreadable.Store(true)
	name := storagetest.Account(1500).Name // of a block that nobody has read
	for _, op := range []storage.Op{
		{Kind: storage.OpGet, Name: name}, {Kind: storage.OpList, Name: name}, {Kind: storage.OpDevices, Name: name}, {Kind: storage.OpSampleSalts},
		{Kind: storage.OpBan, Name: name, Ban: storage.Ban{Reason: "r"}}, {Kind: storage.OpDelete, Name: name},
	} {
		if got := storagetest.Do(t, c, op); !errors.Is(got.Err, storage.ErrReadFailed) || !errors.Is(got.Err, syscall.EIO) || errors.Is(got.Err, storage.ErrFailed) {
			t.Errorf("%v: %v", op.Kind, got.Err)
		}
	}
	disk.unreadable.Store(false)
	storagetest.MustDo(t, c, storage.Op{Kind: storage.OpBan, Name: name, Ban: storage.Ban{Reason: "r"}}) // it has stopped no writes
}
