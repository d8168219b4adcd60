package pebble

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"

	"gatepass/storage"
)

// failStop is the file system that Pebble works on. The first operation that fails to
// change the disk stops all further changes. The files are then as a power cut at that
// moment would have left them, which is a state that Pebble can open.
//
// Pebble v2.1.7 does not survive failing writes: a commit that fails calls Logger.Fatalf
// and reports success if that returns; a failure during the change to a new log panics
// with a mutex unlocked twice, which recover cannot catch; a flush that fails is retried
// at once, without end. So Pebble must never see such a failure. After the first one:
//
//   - Writes and syncs of logs, manifests and markers, renames and removals are reported
//     as done and are not done. Pebble goes on in memory. The store acknowledges nothing,
//     because it checks for a failure after each sync.
//   - A table that is being written gets the error, so its rows stay in memory, where
//     reads find them. The next table waits in Create until release, which ends the
//     retries.
//   - While Pebble is opening, where waiting would hang it, tables are reported as done
//     too; the opening fails as soon as Pebble returns.
//   - Reads go to the disk.
//
// Rejected: blocking the failing goroutine for ever (leaks, and the folder stays locked);
// Pebble's WAL failover (needs a second disk and covers the log only).
type failStop struct {
	vfs.FS
	first    atomic.Pointer[error] // the first failure; nil before
	failed   chan struct{}         // closed at the first failure
	opening  atomic.Bool           // Invariant: never true again once false
	released chan struct{}         // closed by release
	keeper   *headKeeper           // told what reaches the disk; static after opening
}

func newFailStop(fs vfs.FS) *failStop {
	f := &failStop{FS: fs, failed: make(chan struct{}), released: make(chan struct{}), keeper: newHeadKeeper(fs, "")}
	f.opening.Store(true)
	return f
}

// fail stops all further changes. Only the first cause is kept. Any goroutine.
func (f *failStop) fail(cause error) {
	if f.first.CompareAndSwap(nil, &cause) {
		close(f.failed)
	}
}

// failure returns nil while all changes have reached the disk, otherwise an ErrFailed
// that wraps the cause. Any goroutine.
func (f *failStop) failure() error {
	cause := f.first.Load()
	if cause == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", storage.ErrFailed, *cause)
}

// release lets tables that wait in Create fail. Called once, before Pebble is closed.
func (f *failStop) release() { close(f.released) }

// change does one change of the disk, or nothing after a failure.
func (f *failStop) change(do func() error) error {
	if f.first.Load() != nil {
		return nil
	}
	if err := do(); err != nil {
		f.fail(err)
	}
	return nil
}

// create opens a file for writing.
func (f *failStop) create(name string, do func() (vfs.File, error)) (vfs.File, error) {
	table := strings.HasSuffix(name, ".sst")
	if f.first.Load() == nil {
		file, err := do()
		if err == nil {
			return &failStopFile{File: file, failStop: f, table: table, manifest: f.keeper.created(name)}, nil
		}
		f.fail(err)
	}
	if table && !f.opening.Load() {
		<-f.released
		return nil, f.failure()
	}
	return voidFile{}, nil
}

func (f *failStop) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.create(name, func() (vfs.File, error) { return f.FS.Create(name, c) })
}

func (f *failStop) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return f.create(name, func() (vfs.File, error) { return f.FS.OpenReadWrite(name, c, opts...) })
}

func (f *failStop) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.create(to, func() (vfs.File, error) { return f.FS.ReuseForWrite(from, to, c) })
}

// OpenDir wraps the folder, since folders are synced through the returned file.
func (f *failStop) OpenDir(name string) (vfs.File, error) {
	d, err := f.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &failStopFile{File: d, failStop: f, dir: name}, nil
}

func (f *failStop) Link(from, to string) error {
	return f.change(func() error { return f.FS.Link(from, to) })
}

func (f *failStop) Rename(from, to string) error {
	return f.change(func() error { return f.FS.Rename(from, to) })
}

// Remove returns errors and does not stop the writes: a file that remains does no harm.
func (f *failStop) Remove(name string) error {
	if f.first.Load() != nil {
		return nil
	}
	return f.FS.Remove(name)
}

// RemoveAll is like Remove.
func (f *failStop) RemoveAll(name string) error {
	if f.first.Load() != nil {
		return nil
	}
	return f.FS.RemoveAll(name)
}

// MkdirAll makes folders that only their owner may enter, whatever mode Pebble asks for.
func (f *failStop) MkdirAll(dir string, _ os.FileMode) error {
	return f.FS.MkdirAll(dir, 0o700)
}

// Lock returns ErrLocked for a folder that another store has locked.
func (f *failStop) Lock(name string) (io.Closer, error) {
	l, err := f.FS.Lock(name)
	if err == nil {
		return l, nil
	}
	// Within one process the file systems return only a text.
	if errors.Is(err, syscall.EAGAIN) || strings.Contains(err.Error(), "lock held by current process") {
		return nil, fmt.Errorf("storage: %s: %w", f.PathDir(name), storage.ErrLocked)
	}
	return nil, err
}

// Unwrap returns the file system that does the work; Pebble asks it for more abilities.
func (f *failStop) Unwrap() vfs.FS { return f.FS }
