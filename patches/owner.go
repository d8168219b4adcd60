package patches

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// The user who edits the catalogue is often not the user who runs the server, and has a
// different umask. New files and folders here therefore get the owner of the data folder, in
// which the catalogue's folder is, and everybody may read them: they hold nothing secret.
const (
	folderMode = 0o755
	fileMode   = 0o644
)

// makeFolder creates the catalogue's folder if it does not exist. An existing folder stays as
// it is.
func makeFolder(dir string) error {
	err := os.Mkdir(dir, folderMode)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(filepath.Dir(filepath.Clean(dir)), folderMode); err == nil {
			err = os.Mkdir(dir, folderMode)
		}
	}
	if errors.Is(err, fs.ErrExist) {
		return os.MkdirAll(dir, folderMode) // its error says so if the path is no folder
	}
	if err != nil {
		return err
	}
	f, err := os.OpenFile(dir, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	return errors.Join(handOver(f, dir, folderMode), f.Close())
}

// handOver gives a new file or folder to the owner of the data folder, as far as the system
// allows it. It uses the descriptor, because a path in another user's folder may lead
// elsewhere by now.
func handOver(f *os.File, dir string, mode fs.FileMode) error {
	if err := f.Chmod(mode); err != nil {
		return err
	}
	var data unix.Stat_t
	if err := unix.Stat(filepath.Dir(filepath.Clean(dir)), &data); err == nil {
		_ = f.Chown(int(data.Uid), int(data.Gid))
	}
	return nil
}
