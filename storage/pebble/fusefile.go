package pebble

import (
	"io/fs"
	"os"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// fuseFile is a file or folder opened through a fuse for changing it.
type fuseFile struct {
	vfs.File
	fuse  *fuse
	table bool // a failing write may be seen; see fuse
	// manifest is a manifest's number, dir a folder's name, for the head.
	manifest uint64
	dir      string
}

// change is like fuse.change, but tells a table of the failure.
func (f *fuseFile) change(do func() error) error {
	_ = f.fuse.change(do)
	if f.table && !f.fuse.opening.Load() {
		return f.fuse.failure()
	}
	return nil
}

func (f *fuseFile) Write(p []byte) (int, error) {
	err := f.change(func() error {
		if f.manifest != 0 {
			// Before it is written: p is the file's afterwards. If that fails, nothing
			// is noted any more.
			f.fuse.keeper.wrote(f.manifest, p)
		}
		_, err := f.File.Write(p)
		return err
	})
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

func (f *fuseFile) WriteAt(p []byte, off int64) (int, error) {
	err := f.change(func() error {
		_, err := f.File.WriteAt(p, off)
		return err
	})
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

func (f *fuseFile) Sync() error { return f.sync(f.File.Sync) }

func (f *fuseFile) SyncData() error { return f.sync(f.File.SyncData) }

// sync syncs and then notes in the head what is there for good now.
func (f *fuseFile) sync(do func() error) error {
	return f.change(func() error {
		err := do()
		if err == nil && f.manifest != 0 {
			err = f.fuse.keeper.synced(f.manifest)
		}
		if err == nil && f.dir != "" {
			err = f.fuse.keeper.dirSynced(f.dir)
		}
		return err
	})
}

func (f *fuseFile) SyncTo(length int64) (bool, error) {
	full := false
	err := f.change(func() (err error) {
		full, err = f.File.SyncTo(length)
		return err
	})
	return full, err
}

// Preallocate is only a hint: Pebble ignores its failure, and so does the fuse.
func (f *fuseFile) Preallocate(offset, length int64) error {
	if f.fuse.first.Load() != nil {
		return nil
	}
	return f.File.Preallocate(offset, length)
}

// Stat is asked of a reused log, where Pebble panics at an error.
func (f *fuseFile) Stat() (vfs.FileInfo, error) {
	info, err := f.File.Stat()
	if err != nil {
		f.fuse.blow(err)
		return voidInfo{}, nil
	}
	return info, nil
}

// Close always closes, so that no descriptor leaks.
func (f *fuseFile) Close() error {
	if err := f.File.Close(); err != nil {
		f.fuse.blow(err)
	}
	return nil
}

// voidFile swallows what is written after the fuse has blown.
type voidFile struct{}

func (voidFile) Close() error                            { return nil }
func (voidFile) Read([]byte) (int, error)                { return 0, fs.ErrNotExist }
func (voidFile) ReadAt([]byte, int64) (int, error)       { return 0, fs.ErrNotExist }
func (voidFile) Write(p []byte) (int, error)             { return len(p), nil }
func (voidFile) WriteAt(p []byte, _ int64) (int, error)  { return len(p), nil }
func (voidFile) Preallocate(int64, int64) error          { return nil }
func (voidFile) Stat() (vfs.FileInfo, error)             { return voidInfo{}, nil }
func (voidFile) Sync() error                             { return nil }
func (voidFile) SyncTo(int64) (fullSync bool, err error) { return false, nil }
func (voidFile) SyncData() error                         { return nil }
func (voidFile) Prefetch(int64, int64) error             { return nil }
func (voidFile) Fd() uintptr                             { return vfs.InvalidFd }

// voidInfo describes a voidFile.
type voidInfo struct{}

func (voidInfo) Name() string           { return "" }
func (voidInfo) Size() int64            { return 0 }
func (voidInfo) Mode() os.FileMode      { return 0 }
func (voidInfo) ModTime() time.Time     { return time.Time{} }
func (voidInfo) IsDir() bool            { return false }
func (voidInfo) Sys() any               { return nil }
func (voidInfo) DeviceID() vfs.DeviceID { return vfs.DeviceID{} }
