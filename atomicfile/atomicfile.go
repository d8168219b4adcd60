// Package atomicfile writes files atomically: a file is complete or absent, also after a crash
// or a loss of power. It imports no other package of gatepass.
//
//	write ─▶ temporary file in the same folder ─▶ fsync ─▶ rename ─▶ fsync of the folder
//
// Rejected: github.com/google/renameio/v2. It does not sync the folder, so the new name may be
// lost. It does not build for Windows, where clients run. The names of its temporary files
// cannot be told from other files, so a clean-up after a crash cannot find them.
package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Write creates or replaces the file at path. write fills a temporary file of mode 0600 in the
// same folder, whose name is made from pattern as in os.CreateTemp. write may change the mode
// and the owner. After an error, path is unchanged and no temporary file is left.
func Write(path, pattern string, write func(*os.File) error) error {
	made, err := Aside(filepath.Dir(path), pattern, write)
	if err != nil {
		return err
	}
	if err := Rename(made, path); err != nil {
		_ = os.Remove(made) // it no longer exists if only the folder's sync failed
		return err
	}
	return nil
}

// Aside writes a temporary file in dir as Write does, syncs it and returns its path. After an
// error no file is left.
func Aside(dir, pattern string, write func(*os.File) error) (path string, err error) {
	f, err := os.CreateTemp(dir, pattern)
	if err != nil {
		return "", err
	}
	if err = write(f); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// Rename renames a file within its folder and syncs the folder.
func Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return SyncFolder(filepath.Dir(to))
}

// SyncFolder makes the names in a folder durable. On systems that cannot sync folders, such as
// Windows, it does nothing: the file system orders renames itself.
func SyncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrInvalid) {
		err = nil
	}
	return errors.Join(err, d.Close())
}

// Content returns a write function for Write that writes b.
func Content(b []byte) func(*os.File) error {
	return func(f *os.File) error {
		_, err := f.Write(b)
		return err
	}
}
