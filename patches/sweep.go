package patches

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"
)

// Discard removes the file of a patch that was taken and then not added. It does nothing if
// the file was not taken or if a patch of the catalogue needs it.
func Discard(dir string, p *Patch) error {
	if !p.Taken {
		return nil
	}
	release, err := lockFolder(context.Background(), dir, lockWait)
	if err != nil {
		return err
	}
	defer release()
	c, err := Load(dir)
	if err != nil {
		return err
	}
	return removeUnneeded(dir, []string{p.Path}, &c)
}

func takenFiles(c *Catalogue) (names []string) {
	for i := range c.Patches {
		if c.Patches[i].Taken {
			names = append(names, c.Patches[i].Path)
		}
	}
	return names
}

// removeUnneeded removes those of the named taken files that no patch of c needs. The caller
// holds the lock. A server that sends such a file continues, because it has the file open.
func removeUnneeded(dir string, names []string, c *Catalogue) (err error) {
	needed := takenFiles(c)
	for _, name := range names {
		if slices.Contains(needed, name) || !isTakenName(name) {
			continue
		}
		if e := os.Remove(filepath.Join(dir, name)); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// sweep removes temporary files that crashes have left. The caller holds the lock, so no
// catalogue is being written. A file that stays does no harm.
func sweep(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if strings.HasPrefix(e.Name(), newPrefix) || strings.HasPrefix(e.Name(), takingPrefix) && abandoned(path) {
			_ = os.Remove(path)
		}
	}
}

// sweepTaken removes taken files whose patch was never added, because the command or the
// machine crashed. The caller holds the lock.
func sweepTaken(dir string, c *Catalogue, now time.Time) {
	needed := takenFiles(c)
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if !isTakenName(e.Name()) || slices.Contains(needed, e.Name()) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		// The modification time is that of the original file, so it cannot be used.
		if changed, err := changedAt(path); err == nil && now.Sub(changed) > unneededAfter {
			_ = os.Remove(path)
		}
	}
}

// abandoned returns whether no process is still copying the file.
func abandoned(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || time.Since(info.ModTime()) < leftAfter {
		return false
	}
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY|unix.O_NONBLOCK))
	defer lock.Close()
	locked, _ := lock.TryLock()
	return locked
}
