package patches

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"

	"gatepass/atomicfile"
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
	if err := makeFolder(t.dir); err != nil {
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
	// The lock keeps sweeps from removing the file, however long this takes.
	lock := flock.New(f.Name(), flock.SetFlag(os.O_RDONLY))
	_, _ = lock.TryLock() // without it, the file's age still does
	defer lock.Close()
	if p, err = measureInto(ctx, f, path, progress); err != nil {
		return Patch{}, err
	}
	p.Path, p.Taken = takenName(&p), true
	if err := t.settle(ctx, f, &p); err != nil {
		return Patch{}, err
	}
	return p, nil
}

// settle gives the file its name. One that was taken before and is as it was stays, with
// its time: to the patches that have it another one would look as if it had changed.
func (t taker) settle(ctx context.Context, f *os.File, p *Patch) error {
	there, err := t.keep(ctx, p)
	if err != nil {
		return err
	}
	if there {
		return os.Remove(f.Name())
	}
	if err := handOver(f, t.dir, fileMode); err != nil {
		return err
	}
	// The original's time, so that the same file has the same one everywhere.
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
	return atomicfile.Rename(f.Name(), p.File(t.dir))
}

// keep says whether the same file is in the folder already. It is read for that: it may
// be the one that is to be mended.
func (t taker) keep(ctx context.Context, p *Patch) (bool, error) {
	there, s, err := openRegular(p.File(t.dir))
	if err != nil || s.size != p.Size {
		if err == nil {
			there.Close()
		}
		return false, nil
	}
	f := newFile(p, there, s)
	defer there.Close()
	if err := f.check(ctx); err != nil {
		return false, context.Cause(ctx)
	}
	p.Modified = s.modified()
	// Its change time becomes now, which keeps it from being swept away as one that
	// nobody needs until the patch is added. Another user's is left alone.
	_ = os.Chtimes(there.Name(), p.Modified, p.Modified)
	return true, nil
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
