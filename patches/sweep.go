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

// Discard removes the file of a patch that was taken and then not added; it does nothing
// if the catalogue has a patch that needs the file, or if it was not taken.
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

// removeUnneeded is called with the lock. Who sends such a file goes on: it is open.
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

// sweep removes what crashes have left half made. It is called with the lock, so that
// no catalogue is being written; what stays does no harm.
func sweep(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if strings.HasPrefix(e.Name(), newPrefix) || strings.HasPrefix(e.Name(), takingPrefix) && abandoned(path) {
			_ = os.Remove(path)
		}
	}
}

// sweepTaken removes files that were taken for a patch that then was not added, because
// the command or the machine crashed. It is called with the lock.
func sweepTaken(dir string, c *Catalogue, now time.Time) {
	needed := takenFiles(c)
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if !isTakenName(e.Name()) || slices.Contains(needed, e.Name()) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		// Not its own time, which is the original's.
		if changed, err := changedAt(path); err == nil && now.Sub(changed) > unneededAfter {
			_ = os.Remove(path)
		}
	}
}

// abandoned says whether nobody is taking the file any more.
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
