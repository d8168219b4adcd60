package patches

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// The names in a catalogue's folder, beside the files that were taken into it.
const (
	catalogueName = "catalogue.json"
	lockName      = "LOCK"
	// newPrefix begins the name of a catalogue that is being written, by whoever has the
	// lock; takingPrefix that of a file that is being taken, which its taker has locked.
	newPrefix    = ".new-"
	takingPrefix = ".taking-"
)

// Load reads the catalogue of the folder. A missing file or folder is an empty
// catalogue. It may be called anywhere, also while the catalogue is edited.
func Load(dir string) (Catalogue, error) {
	path := filepath.Join(dir, catalogueName)
	b, err := readBounded(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Catalogue{}, nil
	}
	if err != nil {
		return Catalogue{}, fmt.Errorf("the catalogue of patches cannot be read: %w", err)
	}
	c, err := decode(b)
	if err != nil {
		return Catalogue{}, fmt.Errorf("%s cannot be used: %w (mend it, or move it away and add the patches again)", path, err)
	}
	return c, nil
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxCatalogueFile+1))
	if err == nil && len(b) > maxCatalogueFile {
		err = fmt.Errorf("%s is longer than %d bytes", path, maxCatalogueFile)
	}
	return b, err
}

// Edit changes the folder's catalogue, which is made if it is not there. It is there as
// before or as after, whatever happens, and an error of change leaves it as it was.
// Several processes may edit at once: they wait for each other, up to 10 seconds. Files
// that were taken into the folder are removed with the last patch that needs them.
func Edit(dir string, change func(*Catalogue) error) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	release, err := lockFolder(dir, lockWait)
	if err != nil {
		return err
	}
	defer release()
	sweep(dir)
	c, err := Load(dir)
	if err != nil {
		return err
	}
	before, err := c.encode()
	if err != nil {
		return err
	}
	files := takenFiles(&c)
	if err := change(&c); err != nil {
		return err
	}
	if err := c.validate(); err != nil {
		return err
	}
	after, err := c.encode()
	if err != nil || string(before) == string(after) {
		return err
	}
	if err := writeWhole(filepath.Join(dir, catalogueName), after); err != nil {
		return fmt.Errorf("the catalogue of patches could not be written and is as before: %w", err)
	}
	return removeUnneeded(dir, files, &c)
}

// Discard removes the file of a patch that was taken and then not added; it does nothing
// if the catalogue has a patch that needs the file, or if it was not taken.
func Discard(dir string, p *Patch) error {
	if !p.Taken {
		return nil
	}
	release, err := lockFolder(dir, lockWait)
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

// lockFolder keeps other edits out until release, or the end of the process. It waits
// for who has the lock.
func lockFolder(dir string, wait time.Duration) (release func(), err error) {
	// Read-only is enough for a lock, so that another user's file will do.
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDONLY, 0o644)
	if err != nil {
		return nil, err
	}
	for until := time.Now().Add(wait); ; time.Sleep(lockEvery) {
		locked, err := tryLock(f)
		if locked {
			return func() { f.Close() }, nil
		}
		if err == nil && time.Now().After(until) {
			err = fmt.Errorf("%s: another command has been at work on it for %s: try again when that is done", dir, wait)
		}
		if err != nil {
			f.Close()
			return nil, err
		}
	}
}

func tryLock(f *os.File) (bool, error) {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EINTR) {
		return false, nil
	}
	return err == nil, err
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

// abandoned says whether nobody is taking the file any more.
func abandoned(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || time.Since(info.ModTime()) < leftAfter {
		return false
	}
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	locked, _ := tryLock(f)
	return locked
}

// writeWhole makes a file that is there whole or not at all, also after a loss of power.
// One that is there is replaced.
func writeWhole(path string, content []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), newPrefix+"*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(content)
	if err == nil {
		// The server may run as another user than who edits, and nothing is secret here.
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
