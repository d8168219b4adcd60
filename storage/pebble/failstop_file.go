package pebble

import (
	"io/fs"
	"os"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// failStopFile is a file or folder that a failStop opened for changing it.
type failStopFile struct {
	vfs.File
	failStop *failStop
	table    bool // failures of writes are returned; see failStop
	// manifest is a manifest's number, dir a folder's name, for the head.
	manifest uint64
	dir      string
}

// change is like failStop.change, but returns the failure to a table.
func (f *failStopFile) change(do func() error) error {
	_ = f.failStop.change(do)
	if f.table && !f.failStop.opening.Load() {
		return f.failStop.failure()
	}
	return nil
}

func (f *failStopFile) Write(p []byte) (int, error) {
	err := f.change(func() error {
		if f.manifest != 0 {
			// Noted before the write, after which p belongs to the file. After a failed
			// write nothing is noted any more.
			f.failStop.keeper.wrote(f.manifest, p)
		}
		_, err := f.File.Write(p)
		return err
	})
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

func (f *failStopFile) WriteAt(p []byte, off int64) (int, error) {
	err := f.change(func() error {
		_, err := f.File.WriteAt(p, off)
		return err
	})
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

func (f *failStopFile) Sync() error { return f.sync(f.File.Sync) }

func (f *failStopFile) SyncData() error { return f.sync(f.File.SyncData) }

// sync syncs and then notes in the head what is durable now.
func (f *failStopFile) sync(do func() error) error {
	return f.change(func() error {
		err := do()
		if err == nil && f.manifest != 0 {
			err = f.failStop.keeper.synced(f.manifest)
		}
		if err == nil && f.dir != "" {
			err = f.failStop.keeper.dirSynced(f.dir)
		}
		return err
	})
}

func (f *failStopFile) SyncTo(length int64) (bool, error) {
	full := false
	err := f.change(func() (err error) {
		full, err = f.File.SyncTo(length)
		return err
	})
	return full, err
}

// Preallocate is a hint: its failure is ignored, as Pebble does.
func (f *failStopFile) Preallocate(offset, length int64) error {
	if f.failStop.first.Load() != nil {
		return nil
	}
	return f.File.Preallocate(offset, length)
}

// Stat returns no error: Pebble calls it on a reused log and panics at an error.
func (f *failStopFile) Stat() (vfs.FileInfo, error) {
	info, err := f.File.Stat()
	if err != nil {
		f.failStop.fail(err)
		return voidInfo{}, nil
	}
	return info, nil
}

// Close closes the file also after a failure, so that no descriptor leaks.
func (f *failStopFile) Close() error {
	if err := f.File.Close(); err != nil {
		f.failStop.fail(err)
	}
	return nil
}

// voidFile accepts and drops what is written after a failure.
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
