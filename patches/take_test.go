package patches

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestTake_CopiesTheFile(t *testing.T) {
	dir, path := filepath.Join(t.TempDir(), "patches"), filepath.Join(t.TempDir(), "wow-patch.mpq")
	b := mustWrite(t, path, 2*readPiece+3)
	when := time.Unix(1_700_000_000, 42).UTC()
	must(t, os.Chtimes(path, when, when))
	want, err := Measure(t.Context(), path, nil)
	must(t, err)
	p, err := Take(t.Context(), dir, path, nil)
	must(t, err)
	got, err := os.ReadFile(p.File(dir))
	must(t, err)
	if !bytes.Equal(got, b) || !p.Taken || !strings.HasSuffix(p.Path, "-wow-patch.mpq") || p.Name != "wow-patch.mpq" {
		t.Errorf("%+v", p)
	}
	want.Path, want.Taken = p.Path, true
	if !p.same(&want) || !p.Modified.Equal(when) {
		t.Errorf("got %+v\nwant %+v", p, want)
	}
	p.Scope, p.From, p.To, p.ID = Scope{}, 1, 2, "grunt-1-2"
	must(t, p.validate())
	twice, err := Take(t.Context(), dir, path, nil)
	must(t, err)
	if got := names(t, dir); twice.Path != p.Path || len(got) != 1 {
		t.Errorf("taken twice: %v", got)
	}
}

// A taken file is removed with the last patch that needs it, and not before.
func TestEdit_RemovesTakenFiles(t *testing.T) {
	dir, path := t.TempDir(), filepath.Join(t.TempDir(), "patch")
	mustWrite(t, path, 10)
	taken, err := Take(t.Context(), dir, path, nil)
	must(t, err)
	other := taken
	taken.From, taken.To, other.From, other.To = 1, 2, 3, 4
	must(t, Edit(t.Context(), dir, func(c *Catalogue) error { return errors.Join(c.Add(taken), c.Add(other)) }))
	remove := func(id string) {
		t.Helper()
		must(t, Edit(t.Context(), dir, func(c *Catalogue) error { _, err := c.Remove(id); return err }))
	}
	remove("grunt-1-2")
	must(t, Discard(dir, &taken)) // the other patch needs it
	if got := names(t, dir); !slices.Contains(got, taken.Path) {
		t.Errorf("%v", got)
	}
	remove("grunt-3-4")
	if got := names(t, dir); slices.Contains(got, taken.Path) {
		t.Errorf("%v", got)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the original: %v", err)
	}
}

func TestDiscard(t *testing.T) {
	dir, path := t.TempDir(), filepath.Join(t.TempDir(), "patch")
	mustWrite(t, path, 10)
	p, err := Take(t.Context(), dir, path, nil)
	must(t, err)
	must(t, Discard(dir, &p))
	must(t, Discard(dir, &p))
	must(t, Discard(dir, &Patch{Path: path}))
	if got := names(t, dir); !slices.Equal(got, []string{lockName}) {
		t.Errorf("%v", got)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the original: %v", err)
	}
}

func TestTake_LeavesNothingBehind(t *testing.T) {
	dir, path := t.TempDir(), filepath.Join(t.TempDir(), "patch")
	mustWrite(t, path, 2*readPiece)
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Take(ctx, dir, path, func(int64) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := Take(t.Context(), dir, filepath.Join(dir, "none"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	_, err := Take(t.Context(), dir, path, func(int64) { _ = os.Truncate(path, 1) })
	mustMean(t, err, "was changed while it was read")
	if got := names(t, dir); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// This simulates a full disk: the temporary file leads to a device that is always full.
func TestTake_FullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("CI must have a device that is always full: ", err)
		}
		t.Skip("only Linux has a device that is always full: ", err)
	}
	dir, path := t.TempDir(), filepath.Join(t.TempDir(), "patch")
	mustWrite(t, path, 100)
	full := taker{dir, func(dir, _ string) (*os.File, error) {
		name := filepath.Join(dir, takingPrefix+"1")
		if err := os.Symlink("/dev/full", name); err != nil {
			return nil, err
		}
		return os.OpenFile(name, os.O_WRONLY, 0)
	}}
	_, err := full.take(t.Context(), path, nil)
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
	mustMean(t, err, dir, "no room", path)
	if got := names(t, dir); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// A file is not taken if the disk does not confirm the write: the temporary file is a pipe,
// which accepts bytes and cannot be synced.
func TestTake_DiskThatDoesNotConfirm(t *testing.T) {
	dir, path := t.TempDir(), filepath.Join(t.TempDir(), "patch")
	mustWrite(t, path, 100)
	unsure := taker{dir, func(dir, _ string) (*os.File, error) {
		name := filepath.Join(dir, takingPrefix+"1")
		if err := unix.Mkfifo(name, 0o600); err != nil {
			return nil, err
		}
		return os.OpenFile(name, os.O_RDWR, 0)
	}}
	p, err := unsure.take(t.Context(), path, nil)
	if !errors.Is(err, unix.EINVAL) || p.Path != "" {
		t.Errorf("%+v, %v", p, err)
	}
	if got := names(t, dir); len(got) != 0 {
		t.Errorf("%v is in the folder", got)
	}
}

// A file that cannot be read is not measured, here a folder.
func TestReading_TellsWhatItCannotRead(t *testing.T) {
	from, err := os.Open(t.TempDir())
	must(t, err)
	defer from.Close()
	r := reading{from: from, to: new(bytes.Buffer), size: 100}
	h := newSums(chunkFor(100))
	defer h.close()
	if err := r.run(t.Context(), h); !errors.Is(err, unix.EISDIR) {
		t.Errorf("%v", err)
	}
}

// A file that cannot be written is not taken.
func TestReading_TellsWhatItCannotWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "patch")
	mustWrite(t, path, 100)
	from, err := os.Open(path)
	must(t, err)
	defer from.Close()
	r := reading{from: from, to: from, size: 100} // it is open only for reading
	h := newSums(chunkFor(100))
	defer h.close()
	if err := r.run(t.Context(), h); !errors.Is(err, unix.EBADF) {
		t.Errorf("%v", err)
	}
}

// A second Take of the same file leaves the existing copy unchanged, unless the copy is
// damaged.
func TestTake_LeavesTheSameFileAlone(t *testing.T) {
	dir, path := t.TempDir(), filepath.Join(t.TempDir(), "patch")
	good := mustWrite(t, path, 100)
	first, err := Take(t.Context(), dir, path, nil)
	must(t, err)
	before, err := stampAt(first.File(dir))
	must(t, err)
	must(t, os.Chtimes(path, time.Time{}, time.Unix(5, 0))) // the copy keeps its first time
	second, err := Take(t.Context(), dir, path, nil)
	must(t, err)
	if now, err := stampAt(first.File(dir)); err != nil || now != before || !second.Modified.Equal(first.Modified) {
		t.Errorf("%+v, was %+v; %v", now, before, err)
	}
	must(t, os.WriteFile(first.File(dir), make([]byte, 100), 0o600))
	_, err = Take(t.Context(), dir, path, nil)
	must(t, err)
	if b, err := os.ReadFile(first.File(dir)); err != nil || !bytes.Equal(b, good) {
		t.Errorf("it is not mended: %v", err)
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("%v", got)
	}
}

// Between Take and Edit another command may have removed the file.
func TestEdit_RefusesAPatchWhoseTakenFileIsGone(t *testing.T) {
	dir, path := t.TempDir(), filepath.Join(t.TempDir(), "patch")
	mustWrite(t, path, 10)
	p, err := Take(t.Context(), dir, path, nil)
	must(t, err)
	must(t, Discard(dir, &p))
	p.From, p.To = 1, 2
	err = Edit(t.Context(), dir, func(c *Catalogue) error { return c.Add(p) })
	mustMean(t, err, "grunt-1-2", p.Path, "add it once more")
	if c := mustLoad(t, dir); len(c.Patches) != 0 {
		t.Error("it was added")
	}
}

// A taken file that was never added is removed after a day. Needed files and files with other
// names stay.
func TestSweepTaken(t *testing.T) {
	dir, path := t.TempDir(), filepath.Join(t.TempDir(), "patch")
	mustWrite(t, path, 10)
	needed, err := Take(t.Context(), dir, path, nil)
	must(t, err)
	mustWrite(t, path, 11)
	left, err := Take(t.Context(), dir, path, nil)
	must(t, err)
	mustWrite(t, filepath.Join(dir, "other"), 10)
	needed.From, needed.To = 1, 2
	must(t, Edit(t.Context(), dir, func(c *Catalogue) error { return c.Add(needed) }))
	if got := names(t, dir); !slices.Contains(got, left.Path) {
		t.Errorf("too soon: %v", got)
	}
	c := mustLoad(t, dir)
	sweepTaken(dir, &c, time.Now().Add(unneededAfter+time.Minute))
	if got := names(t, dir); slices.Contains(got, left.Path) || !slices.Contains(got, needed.Path) || !slices.Contains(got, "other") {
		t.Errorf("%v", got)
	}
}
