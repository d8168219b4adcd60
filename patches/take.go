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

// takenDigits is how many digits of a file's SHA-256 begin its name in the folder: enough that
// no two files get the same name.
const takenDigits = 16

// Take copies the file into the folder and returns the Patch that Measure would return, with
// the name in the folder as Path. It creates the folder if it does not exist. The copy is
// complete or absent. A file that is taken twice is stored once.
func Take(ctx context.Context, dir, path string, progress func(done int64)) (Patch, error) {
	return taker{dir, os.CreateTemp}.take(ctx, path, progress)
}

// taker copies files into a folder.
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
	// The lock keeps sweeps from removing the file, however long the copy takes.
	lock := flock.New(f.Name(), flock.SetFlag(os.O_RDONLY))
	_, _ = lock.TryLock() // without the lock, the file's age still does
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

// settle gives the file its final name. If the same file was taken before and is intact, that
// file stays, with its time: a new time would look like a change to the patches that have it.
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
	// The copy gets the original's time, so that the same file has the same time everywhere.
	if err := os.Chtimes(f.Name(), p.Modified, p.Modified); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	now, err := stampOf(f) // a file system may store times less exactly
	if err != nil {
		return err
	}
	p.Modified = now.modified()
	return atomicfile.Rename(f.Name(), p.File(t.dir))
}

// keep returns whether an intact copy of the file is in the folder already. It reads that
// copy, because this Take may be meant to repair it.
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
	// The change time becomes now. Until the patch is added, this keeps the file from being
	// removed as unneeded. It fails for another user's file, which stays as it is.
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

// isTakenName returns whether a name is that of a taken file. Edits by hand can therefore not
// name other files, inside or outside of the folder.
func isTakenName(name string) bool {
	digits, rest, _ := strings.Cut(name, "-")
	_, err := hex.DecodeString(digits)
	return err == nil && len(digits) == takenDigits && rest != "" && filepath.Base(name) == name
}
