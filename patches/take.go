package patches

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// takenDigits is how many digits of a file's SHA-256 its name in the folder begins with:
// enough that no two files have the same.
const takenDigits = 16

// Take copies the file into the folder, which is made if it is not there, and gives what
// Measure would, with the name in the folder as Path. The file is there whole or not at
// all. Taken twice it is there once.
func Take(ctx context.Context, dir, path string, progress func(done int64)) (Patch, error) {
	return taker{dir, os.CreateTemp}.take(ctx, path, progress)
}

// taker takes files into a folder.
type taker struct {
	dir    string
	create func(dir, pattern string) (*os.File, error)
}

func (t taker) take(ctx context.Context, path string, progress func(done int64)) (p Patch, err error) {
	if err := os.MkdirAll(t.dir, 0o755); err != nil {
		return Patch{}, err
	}
	f, err := t.create(t.dir, takingPrefix+"*")
	if err != nil {
		return Patch{}, err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			os.Remove(f.Name())
			p, err = Patch{}, t.explain(path, err)
		}
	}()
	// It only keeps the file from being swept away, which its age does too.
	_, _ = tryLock(f)
	if p, err = measureInto(ctx, f, path, progress); err != nil {
		return Patch{}, err
	}
	p.Path, p.Taken = takenName(&p), true
	if err := t.settle(f, &p); err != nil {
		return Patch{}, err
	}
	return p, nil
}

// settle gives the file its name. Its time is the original's, so that a file that is
// taken again, for other clients, does not look as if it had changed.
func (t taker) settle(f *os.File, p *Patch) error {
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := os.Chtimes(f.Name(), p.Modified, p.Modified); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	now, err := stampOf(f) // a file system may keep times less exactly
	if err != nil {
		return err
	}
	p.Modified = now.modified()
	if err := os.Rename(f.Name(), p.File(t.dir)); err != nil {
		return err
	}
	return syncFolder(t.dir)
}

func (t taker) explain(path string, err error) error {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return fmt.Errorf("%s has no room for %s: make some, or add the file where it is: %w", t.dir, path, err)
	}
	return err
}

func takenName(p *Patch) string {
	return hex.EncodeToString(p.SHA256[:takenDigits/2]) + "-" + p.Name
}

// isTakenName keeps edits by hand from naming other files of the folder, or any beside.
func isTakenName(name string) bool {
	digits, rest, _ := strings.Cut(name, "-")
	_, err := hex.DecodeString(digits)
	return err == nil && len(digits) == takenDigits && rest != "" && filepath.Base(name) == name
}
