package patches

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"

	"gatepass/atomicfile"
)

// The names in a catalogue's folder, besides the files that were copied into it.
const (
	catalogueName = "catalogue.json"
	lockName      = "LOCK"
	// newPrefix begins the name of a catalogue that is being written, by the holder of the
	// lock. takingPrefix begins the name of a file that is being copied; the copying process
	// has it locked.
	newPrefix    = ".new-"
	takingPrefix = ".taking-"
)

// Load returns the folder's catalogue. It returns an empty catalogue if the file or the folder
// does not exist. It may be called anywhere, also while the catalogue is edited.
func Load(dir string) (Catalogue, error) {
	c, err := load(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return Catalogue{}, nil
	}
	return c, err
}

// load returns fs.ErrNotExist if there is no catalogue.
func load(dir string) (Catalogue, error) {
	path := filepath.Join(dir, catalogueName)
	b, err := readBounded(path)
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

// Edit changes the folder's catalogue and creates it if it does not exist. The change is
// atomic: whatever happens, the file has the old or the new content. If change returns an
// error, the catalogue stays as it is. Several processes may edit at once: each waits for the
// others, up to 10 seconds or until ctx ends. A file that was taken into the folder is removed
// with the last patch that needs it. A patch whose taken file does not exist cannot be added.
func Edit(ctx context.Context, dir string, change func(*Catalogue) error) error {
	if err := makeFolder(dir); err != nil {
		return err
	}
	release, err := lockFolder(ctx, dir, lockWait)
	if err != nil {
		return err
	}
	defer release()
	sweep(dir)
	c, err := Load(dir)
	if err != nil {
		return err
	}
	files := takenFiles(&c)
	if err := rewrite(dir, &c, change); err != nil {
		return err
	}
	sweepTaken(dir, &c, time.Now())
	return removeUnneeded(dir, files, &c)
}

// rewrite writes the catalogue if change has changed it. The caller holds the lock.
func rewrite(dir string, c *Catalogue, change func(*Catalogue) error) error {
	before, err := c.encode()
	if err != nil {
		return err
	}
	old := slices.Clone(c.Patches)
	if err := change(c); err != nil {
		return err
	}
	if err := errors.Join(c.validate(), findTaken(dir, c, old)); err != nil {
		return err
	}
	after, err := c.encode()
	if err != nil || string(before) == string(after) {
		return err
	}
	if err := writeCatalogue(dir, after); err != nil {
		return fmt.Errorf("the catalogue of patches could not be written and is as before: %w", err)
	}
	return nil
}

// findTaken returns an error if the taken file of a new patch does not exist. Between Take and
// the lock, another command may have removed the last patch that needed the same file, and so
// the file.
func findTaken(dir string, c *Catalogue, old []Patch) error {
	for i := range c.Patches {
		p := &c.Patches[i]
		if !p.Taken || slices.ContainsFunc(old, func(o Patch) bool { return o.ID == p.ID && o.sameContent(p) }) {
			continue
		}
		if _, err := os.Stat(p.File(dir)); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("patch %s: another command has removed %s meanwhile: add it once more", p.ID, Printable(p.File(dir)))
		}
	}
	return nil
}

// lockFolder locks the folder against other edits until release is called or the process ends.
// It waits at most wait while another process has the lock.
func lockFolder(ctx context.Context, dir string, wait time.Duration) (release func(), err error) {
	path := filepath.Join(dir, lockName)
	if err := makeLock(dir, path); err != nil {
		return nil, err
	}
	// Read-only access is enough for a lock, so another user's lock file works too.
	lock := flock.New(path, flock.SetPermissions(fileMode))
	for until := time.Now().Add(wait); ; time.Sleep(lockEvery) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		locked, err := lock.TryLock()
		switch {
		case err != nil:
			return nil, err
		case locked:
			return func() { _ = lock.Close() }, nil
		case time.Now().After(until):
			return nil, fmt.Errorf("%s: another command has been at work on it for %s: try again when that is done", dir, wait)
		}
	}
}

// makeLock creates the lock file if it does not exist.
func makeLock(dir, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDONLY, fileMode)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(handOver(f, dir, fileMode), f.Close())
}

// writeCatalogue replaces the catalogue's file. After an error the file is unchanged.
func writeCatalogue(dir string, content []byte) error {
	return atomicfile.Write(filepath.Join(dir, catalogueName), newPrefix+"*", func(f *os.File) error {
		if _, err := f.Write(content); err != nil {
			return err
		}
		return handOver(f, dir, fileMode)
	})
}
