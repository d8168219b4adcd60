package patches

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

func markBuild(build uint16) func(*Catalogue) error {
	return func(c *Catalogue) error { return c.Mark(Mark{Build: build, Status: StatusCurrent}) }
}

func names(t testing.TB, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestLoad_NothingThereIsEmpty(t *testing.T) {
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none")} {
		if c, err := Load(dir); err != nil || len(c.Marks)+len(c.Patches)+len(c.Known) != 0 {
			t.Errorf("%+v, %v", c, err)
		}
	}
}

func TestLoad_NamesTheFileAndTheMend(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, catalogueName)
	must(t, os.WriteFile(path, []byte(`{"format": 9}`), 0o600))
	_, err := Load(dir)
	mustMean(t, err, path, "newer", "mend it")
	mustMean(t, Edit(t.Context(), dir, markBuild(1)), path)
	must(t, os.Truncate(path, maxCatalogueFile+1))
	_, err = Load(dir)
	mustMean(t, err, path, "longer than")
	must(t, os.Remove(path))
	must(t, os.Mkdir(path, 0o700))
	_, err = Load(dir)
	mustMean(t, err, path)
}

func TestEdit_MakesTheFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data", "patches")
	must(t, Edit(t.Context(), dir, markBuild(7)))
	if c := mustLoad(t, dir); len(c.Marks) != 1 || c.Marks[0].Build != 7 {
		t.Errorf("%+v", c)
	}
	if got := names(t, dir); !slices.Equal(got, []string{lockName, catalogueName}) {
		t.Errorf("%v", got)
	}
}

func TestEdit_LeavesEverythingAsItWas(t *testing.T) {
	dir := t.TempDir()
	must(t, Edit(t.Context(), dir, markBuild(7)))
	before, err := os.Stat(filepath.Join(dir, catalogueName))
	must(t, err)
	mine := errors.New("no")
	if err := Edit(t.Context(), dir, func(c *Catalogue) error { c.Marks = nil; return mine }); !errors.Is(err, mine) {
		t.Error(err)
	}
	mustMean(t, Edit(t.Context(), dir, func(c *Catalogue) error { c.Marks[0].Build = 0; return nil }), "0 is no build")
	must(t, Edit(t.Context(), dir, markBuild(7))) // changes nothing, so nothing is written
	after, err := os.Stat(filepath.Join(dir, catalogueName))
	must(t, err)
	if !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) {
		t.Error("the file was written")
	}
	if got := names(t, dir); !slices.Equal(got, []string{lockName, catalogueName}) {
		t.Errorf("%v", got)
	}
}

func TestEdit_FailsWhereNothingCanBeWritten(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, catalogueName), 0o700))
	if err := Edit(t.Context(), dir, markBuild(1)); err == nil {
		t.Error("a folder was replaced")
	}
	mustMean(t, Edit(t.Context(), filepath.Join(dir, catalogueName, lockName, "\x00"), markBuild(1)), "invalid")
}

func TestEdit_ManyAtOnceLoseNothing(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	for build := range uint16(24) {
		all.Go(func() {
			if err := Edit(t.Context(), dir, markBuild(build+1)); err != nil {
				t.Error(err)
			}
			if _, err := Load(dir); err != nil { // never partly written
				t.Error(err)
			}
		})
	}
	all.Wait()
	if c := mustLoad(t, dir); len(c.Marks) != 24 {
		t.Errorf("%d marks of 24", len(c.Marks))
	}
}

// A process that ends in the middle of an edit leaves the old catalogue, no lock, and a partly
// written file, which the next edit removes.
func TestEdit_Crash(t *testing.T) {
	dir := t.TempDir()
	must(t, Edit(t.Context(), dir, markBuild(7)))
	self, err := os.Executable()
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	again := exec.CommandContext(ctx, self)
	again.Env = append(os.Environ(), crashDir+"="+dir)
	var exit *exec.ExitError
	if err := again.Run(); !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Fatal(err)
	}
	if got := names(t, dir); len(got) != 3 || !strings.HasPrefix(got[0], newPrefix) {
		t.Errorf("after the crash: %v", got)
	}
	if c := mustLoad(t, dir); len(c.Marks) != 1 {
		t.Errorf("after the crash: %+v", c)
	}
	must(t, Edit(t.Context(), dir, markBuild(8)))
	if got := names(t, dir); !slices.Equal(got, []string{lockName, catalogueName}) {
		t.Errorf("after the edit: %v", got)
	}
	if c := mustLoad(t, dir); len(c.Marks) != 2 {
		t.Errorf("after the edit: %+v", c)
	}
}

func TestEdit_SweepsWhatNobodyTakesAnyMore(t *testing.T) {
	dir := t.TempDir()
	old := time.Now().Add(-2 * leftAfter)
	for name, when := range map[string]time.Time{"left": old, "held": old, "new": time.Now()} {
		path := filepath.Join(dir, takingPrefix+name)
		mustWrite(t, path, 10)
		must(t, os.Chtimes(path, when, when))
	}
	held := flock.New(filepath.Join(dir, takingPrefix+"held"), flock.SetFlag(os.O_RDONLY))
	defer held.Close()
	if locked, err := held.TryLock(); !locked || err != nil {
		t.Fatal(locked, err)
	}
	must(t, Edit(t.Context(), dir, markBuild(1)))
	if got := names(t, dir); !slices.Equal(got, []string{takingPrefix + "held", takingPrefix + "new", lockName, catalogueName}) {
		t.Errorf("%v", got)
	}
}

func TestEdit_WaitsOnlySoLong(t *testing.T) {
	dir := t.TempDir()
	release, err := lockFolder(t.Context(), dir, 0)
	must(t, err)
	_, err = lockFolder(t.Context(), dir, time.Millisecond)
	mustMean(t, err, dir, "another command", "try again")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Edit(ctx, dir, markBuild(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	release()
	must(t, Edit(t.Context(), dir, markBuild(1)))
}
