package patches

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Who edits the catalogue is often another user than the one who serves by it, with an
// umask of his own. So what is made here is given to the owner of the data folder, in
// which the catalogue's folder lies, and everybody may read it: nothing of it is secret.
const (
	folderMode = 0o755
	fileMode   = 0o644
)

// makeFolder makes the catalogue's folder if it is not there. One that is there stays
// as it is.
func makeFolder(dir string) error {
	err := os.Mkdir(dir, folderMode)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(filepath.Dir(filepath.Clean(dir)), folderMode); err == nil {
			err = os.Mkdir(dir, folderMode)
		}
	}
	if errors.Is(err, fs.ErrExist) {
		return os.MkdirAll(dir, folderMode) // says what it is if it is no folder
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

// handOver gives something that was just made to the owner of the data folder, as far
// as the system lets us. It goes by the descriptor: a path in a folder of somebody else
// may lead elsewhere by now.
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
