package pebble

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// readOnlyFS refuses every change.
type readOnlyFS struct{ vfs.FS }

func refuseChange(name string) error {
	return &fs.PathError{Op: "change", Path: name, Err: syscall.EROFS}
}

// Create, and the rest of them, always fail.
func (readOnlyFS) Create(name string, _ vfs.DiskWriteCategory) (vfs.File, error) {
	return nil, refuseChange(name)
}

func (readOnlyFS) OpenReadWrite(name string, _ vfs.DiskWriteCategory, _ ...vfs.OpenOption) (vfs.File, error) {
	return nil, refuseChange(name)
}

func (readOnlyFS) ReuseForWrite(_, name string, _ vfs.DiskWriteCategory) (vfs.File, error) {
	return nil, refuseChange(name)
}

func (readOnlyFS) Link(_, name string) error                 { return refuseChange(name) }
func (readOnlyFS) Rename(_, name string) error               { return refuseChange(name) }
func (readOnlyFS) Remove(name string) error                  { return refuseChange(name) }
func (readOnlyFS) RemoveAll(name string) error               { return refuseChange(name) }
func (readOnlyFS) MkdirAll(name string, _ os.FileMode) error { return refuseChange(name) }
func (r readOnlyFS) Unwrap() vfs.FS                          { return r.FS }

// Lock takes a lock that readers share and that excludes writers. It does not create the
// file: without one there is no writer. It does not notice a store that the same process
// has open for writing.
func (r readOnlyFS) Lock(name string) (io.Closer, error) {
	f, err := r.FS.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return io.NopCloser(nil), nil
	}
	if err != nil {
		return nil, err
	}
	if f.Fd() == vfs.InvalidFd { // a file system in memory
		return r.FS.Lock(name)
	}
	if err := lockShared(f.Fd()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
