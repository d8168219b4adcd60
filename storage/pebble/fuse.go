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

// fuse is the file system Pebble works on. It blows at the first operation that
// should have changed the disk and failed; from then on nothing changes the
// disk any more, so that what is there is what a power cut at that moment
// would have left. That is a state which Pebble is built to open.
//
// Why it is there: Pebble v2.1.7 does not survive failing writes. A commit that
// fails ends in Logger.Fatalf and then reports success if that returns; a
// failure while it changes to a new log panics with a mutex unlocked twice,
// which no recover can catch; a flush that fails is tried again at once, for
// ever. So Pebble must never see such a failure. Once the fuse has blown:
//
//   - log, manifest, markers, renames, removals, syncs: reported as done, not
//     done. Pebble carries on in memory; the store acknowledges nothing, because
//     every acknowledgement looks at the fuse after the sync returned.
//   - tables: a table that is being written gets the error, so that the rows stay
//     in memory, where reads find them. The next one waits in Create until
//     release, which ends the retrying.
//   - while Pebble is opening, where waiting would hang it, tables too are
//     reported as done; the opening fails as soon as Pebble returns.
//   - reads go to the disk as before.
//
// Rejected: parking the failing goroutine for ever (leaks, and the folder stays
// locked); Pebble's WAL failover (needs a second disk and covers the log only).
type fuse struct {
	vfs.FS
	first    atomic.Pointer[error] // why it blew; nil while whole
	blown    chan struct{}         // closed when it blows
	opening  atomic.Bool           // Invariant: never true again once false
	released chan struct{}         // closed by release
	keeper   *headKeeper           // told what reaches the disk; static after opening
}

func newFuse(fs vfs.FS) *fuse {
	f := &fuse{FS: fs, blown: make(chan struct{}), released: make(chan struct{}), keeper: newHeadKeeper(fs, "")}
	f.opening.Store(true)
	return f
}

// blow stops all further changes. Only the first cause counts. Any goroutine.
func (f *fuse) blow(cause error) {
	if f.first.CompareAndSwap(nil, &cause) {
		close(f.blown)
	}
}

// failure is nil while all changes have reached the disk, and otherwise an
// ErrFailed that wraps the cause. Any goroutine.
func (f *fuse) failure() error {
	cause := f.first.Load()
	if cause == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", storage.ErrFailed, *cause)
}

// release lets tables that wait in Create fail. Called once, before Pebble is closed.
func (f *fuse) release() { close(f.released) }

// change does one change of the disk, or nothing if the fuse has blown.
func (f *fuse) change(do func() error) error {
	if f.first.Load() != nil {
		return nil
	}
	if err := do(); err != nil {
		f.blow(err)
	}
	return nil
}

// create opens a file for writing.
func (f *fuse) create(name string, do func() (vfs.File, error)) (vfs.File, error) {
	table := strings.HasSuffix(name, ".sst")
	if f.first.Load() == nil {
		file, err := do()
		if err == nil {
			return &fuseFile{File: file, fuse: f, table: table, manifest: f.keeper.created(name)}, nil
		}
		f.blow(err)
	}
	if table && !f.opening.Load() {
		<-f.released
		return nil, f.failure()
	}
	return voidFile{}, nil
}

func (f *fuse) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.create(name, func() (vfs.File, error) { return f.FS.Create(name, c) })
}

func (f *fuse) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return f.create(name, func() (vfs.File, error) { return f.FS.OpenReadWrite(name, c, opts...) })
}

func (f *fuse) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.create(to, func() (vfs.File, error) { return f.FS.ReuseForWrite(from, to, c) })
}

// OpenDir wraps the folder because folders are synced through it.
func (f *fuse) OpenDir(name string) (vfs.File, error) {
	d, err := f.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &fuseFile{File: d, fuse: f, dir: name}, nil
}

func (f *fuse) Link(from, to string) error {
	return f.change(func() error { return f.FS.Link(from, to) })
}

func (f *fuse) Rename(from, to string) error {
	return f.change(func() error { return f.FS.Rename(from, to) })
}

// Remove passes errors on and does not blow: a file too many does no harm.
func (f *fuse) Remove(name string) error {
	if f.first.Load() != nil {
		return nil
	}
	return f.FS.Remove(name)
}

// RemoveAll is like Remove.
func (f *fuse) RemoveAll(name string) error {
	if f.first.Load() != nil {
		return nil
	}
	return f.FS.RemoveAll(name)
}

// MkdirAll makes folders that only their owner may enter, whatever Pebble asks for.
func (f *fuse) MkdirAll(dir string, _ os.FileMode) error {
	return f.FS.MkdirAll(dir, 0o700)
}

// Lock tells a folder in use from one that cannot be locked.
func (f *fuse) Lock(name string) (io.Closer, error) {
	l, err := f.FS.Lock(name)
	if err == nil {
		return l, nil
	}
	// Within one process the file systems have only a text for it.
	if errors.Is(err, syscall.EAGAIN) || strings.Contains(err.Error(), "lock held by current process") {
		return nil, fmt.Errorf("storage: %s: %w", f.PathDir(name), storage.ErrLocked)
	}
	return nil, err
}

// Unwrap hides nothing: Pebble asks the wrapped one for what is behind it.
func (f *fuse) Unwrap() vfs.FS { return f.FS }
