package patches

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gatepass/codec"
)

// lookout is a running Watch.
type lookout struct {
	t       *testing.T
	dir     string
	journal journal
	sets    chan *Set
	last    *Set
}

// watch starts a Watch with the result of Open; it ends with the test.
func watch(t *testing.T, dir string) *lookout {
	t.Helper()
	l := &lookout{t: t, dir: dir, sets: make(chan *Set, 100)}
	l.last, _ = Open(dir, Defaults{})
	l.run(WatchOptions{Dir: dir, First: l.last})
	return l
}

func (l *lookout) run(o WatchOptions) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	o.Every, o.Logger, o.Publish = 2*time.Millisecond, l.journal.logger(), func(s *Set) { l.sets <- s }
	go func() {
		defer close(done)
		Watch(ctx, o)
	}()
	l.t.Cleanup(func() {
		cancel()
		<-done
	})
}

// await waits until is returns true for a published Set.
func (l *lookout) await(what string, is func(*Set) bool) {
	l.t.Helper()
	late := time.After(waitLimit)
	for !is(l.last) {
		select {
		case l.last = <-l.sets:
		case <-late:
			l.t.Fatalf("no set where %s; the journal:\n%s", what, l.journal.b.String())
		}
	}
}

// awaitWords waits until the journal contains the words.
func (l *lookout) awaitWords(words string) {
	l.t.Helper()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	late := time.After(waitLimit)
	for l.journal.count(words) == 0 {
		select {
		case <-again.C:
		case <-late:
			l.t.Fatalf("the journal does not say %q", words)
		}
	}
}

// awaitLooks waits until the watcher has looked two more times.
func (l *lookout) awaitLooks(build uint16) {
	l.t.Helper()
	must(l.t, Edit(l.t.Context(), l.dir, markBuild(build)))
	l.await("the build is marked", func(s *Set) bool { return s.Judge(client(codec.ProtocolGrunt, build, "", "")).Allowed })
}

// replace replaces a file at once and sets its time, because file timestamps are coarse.
func replace(t *testing.T, path string, content []byte, when int64) {
	t.Helper()
	aside := path + ".aside"
	must(t, os.WriteFile(aside, content, 0o600))
	must(t, os.Chtimes(aside, time.Time{}, time.Unix(when, 0)))
	must(t, os.Rename(aside, path))
}

func offers(n int) func(*Set) bool { return func(s *Set) bool { return len(s.Files()) == n } }

func TestWatch_PublishesEdits(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none", "yet")
	l := watch(t, dir)
	l.awaitLooks(5875)
	mustAdd(t, dir, grunt(1, 2), 100)
	l.await("a patch was added", offers(1))
	first := l.last.Files()[0]
	mustAdd(t, dir, grunt(2, 3), 100)
	l.await("a second patch was added", offers(2))
	if l.last.Files()[0] != first {
		t.Error("a file that had not changed was opened again")
	}
	must(t, Edit(t.Context(), dir, func(c *Catalogue) error { _, err := c.Remove("grunt-1-2"); return err }))
	l.await("a patch was removed", offers(1))
	if l.journal.count("patch added") != 2 || l.journal.count("patch removed") != 1 || l.journal.count("is over") != 0 {
		t.Errorf("the journal:\n%s", l.journal.b.String())
	}
}

// An unmounted disk must not let in clients that were refused before.
func TestWatch_VanishedCatalogueLeavesEverything(t *testing.T) {
	dir, path := filepath.Join(t.TempDir(), "patches"), filepath.Join(t.TempDir(), "patch")
	mustWrite(t, path, 10)
	p, err := Take(t.Context(), dir, path, nil)
	must(t, err)
	p.From, p.To = 1, 2
	must(t, Edit(t.Context(), dir, func(c *Catalogue) error { return c.Add(p) }))
	l := watch(t, dir)
	must(t, os.Rename(dir, dir+".away"))
	l.awaitWords("the catalogue is gone")
	must(t, os.Rename(dir+".away", dir))
	l.awaitWords("is over")
	if n := l.journal.count("level=ERROR"); n != 1 || len(l.sets) != 0 {
		t.Errorf("%d sets, and the journal:\n%s", len(l.sets), l.journal.b.String())
	}
	l.awaitLooks(7)
	must(t, Edit(t.Context(), dir, func(c *Catalogue) error { c.Marks, c.Patches = nil, nil; return nil }))
	l.await("the catalogue is empty", func(s *Set) bool { return len(s.Entries()) == 0 })
	if n := l.journal.count("the catalogue is gone"); n != 1 {
		t.Errorf("told %d times", n)
	}
}

func TestWatch_WithoutAFirstSetPublishesOne(t *testing.T) {
	dir := t.TempDir()
	mustAdd(t, dir, grunt(1, 2), 100)
	l := &lookout{t: t, dir: dir, sets: make(chan *Set, 100)}
	l.run(WatchOptions{Dir: dir})
	l.await("there is a patch", offers(1))
}

func TestWatch_SaysNothingWhileNothingChanges(t *testing.T) {
	dir := t.TempDir()
	p := mustAdd(t, dir, grunt(1, 2), 100)
	must(t, os.Remove(p.Path))
	l := watch(t, dir) // Open has reported it
	l.awaitLooks(7)
	l.awaitLooks(8)
	if n := len(l.sets); n != 0 {
		t.Errorf("%d sets too many", n)
	}
	if n := l.journal.count("is missing"); n != 0 {
		t.Errorf("told %d times again", n)
	}
}

func TestWatch_VanishedFile(t *testing.T) {
	dir := t.TempDir()
	p := mustAdd(t, dir, grunt(1, 2), 100)
	l := watch(t, dir)
	file := l.last.Files()[0]
	must(t, os.Rename(p.Path, p.Path+".away"))
	l.await("the file is gone", offers(0))
	l.awaitWords("is missing")
	l.awaitLooks(7)
	_, pieces := piecesOf(100)
	must(t, file.ReadVector(pieces, 0)) // a transfer in progress continues
	must(t, os.Rename(p.Path+".away", p.Path))
	l.await("the file is back", offers(1))
	l.awaitWords("is over")
	if n := l.journal.count("is missing"); n != 1 {
		t.Errorf("told %d times", n)
	}
}

func TestWatch_TouchedFileIsReadAnew(t *testing.T) {
	dir := t.TempDir()
	p := mustAdd(t, dir, grunt(1, 2), 3*readPiece)
	l := watch(t, dir)
	before := l.last.Files()[0]
	later := time.Unix(1_800_000_000, 0).UTC()
	must(t, os.Chtimes(p.Path, later, later))
	l.await("the file is offered anew", func(s *Set) bool { return len(s.Files()) == 1 && s.Files()[0] != before })
	l.awaitLooks(7)
	if c := mustLoad(t, dir); !c.Patches[0].Modified.Equal(later) {
		t.Errorf("recorded %s, want %s", c.Patches[0].Modified, later)
	}
	if _, errs := Open(dir, Defaults{}); len(errs) != 0 {
		t.Errorf("the next start: %v", errs)
	}
	_, pieces := piecesOf(10)
	must(t, l.last.Files()[0].ReadVector(pieces, 0))
}

func TestWatch_TouchedBeforeTheStart(t *testing.T) {
	dir := t.TempDir()
	p := mustAdd(t, dir, grunt(1, 2), 100)
	must(t, os.Chtimes(p.Path, time.Time{}, time.Unix(1, 0)))
	l := watch(t, dir)
	if len(l.last.Files()) != 0 {
		t.Error("offered without being read")
	}
	l.await("the file is offered", offers(1))
}

func TestWatch_OtherContent(t *testing.T) {
	dir := t.TempDir()
	p := mustAdd(t, dir, grunt(1, 2), 100)
	good, err := os.ReadFile(p.Path)
	must(t, err)
	l := watch(t, dir)
	bad := append([]byte{good[0] ^ 1}, good[1:]...)
	replace(t, p.Path, bad, 1)
	l.await("the file is left out", offers(0))
	l.awaitWords("SHA-256 differs")
	l.awaitLooks(7)
	if n := l.journal.count("SHA-256 differs"); n != 1 || len(l.last.Files()) != 0 {
		t.Errorf("told %d times, %d files", n, len(l.last.Files()))
	}
	replace(t, p.Path, good, 2)
	l.await("the file is as it was", offers(1))
}

func TestWatch_BrokenCatalogueLeavesEverything(t *testing.T) {
	dir := t.TempDir()
	mustAdd(t, dir, grunt(1, 2), 100)
	l := watch(t, dir)
	path := filepath.Join(dir, catalogueName)
	good, err := os.ReadFile(path)
	must(t, err)
	replace(t, path, good[:len(good)-3], 1)
	l.awaitWords("cannot be used")
	if len(l.sets) != 0 {
		t.Error("a set was published")
	}
	replace(t, path, good, 2)
	l.awaitWords("is over")
	if n := l.journal.count("what was read before goes on"); n != 1 {
		t.Errorf("told %d times", n)
	}
}

func TestWatch_UnrecordedTimeIsTold(t *testing.T) {
	dir := t.TempDir()
	p := mustAdd(t, dir, grunt(1, 2), 100)
	l := watch(t, dir)
	must(t, os.Remove(filepath.Join(dir, lockName)))
	must(t, os.Mkdir(filepath.Join(dir, lockName), 0o700))
	must(t, os.Mkdir(filepath.Join(dir, lockName, "x"), 0o700))
	must(t, os.Chtimes(p.Path, time.Time{}, time.Unix(1, 0)))
	l.await("the file is left out", offers(0))
	l.await("the file is offered", offers(1))
	l.awaitWords("could not be recorded")
}

// A file that Verify has found wrong is not offered until it changes, whatever its time.
func TestWatch_FoundWrong(t *testing.T) {
	dir := t.TempDir()
	p := mustAdd(t, dir, grunt(1, 2), 100)
	good, err := os.ReadFile(p.Path)
	must(t, err)
	must(t, os.WriteFile(p.Path, make([]byte, 100), 0o600))
	must(t, os.Chtimes(p.Path, p.Modified, p.Modified))
	l := watch(t, dir) // it looks as it did
	l.await("the file is offered", offers(1))
	verify := func() error {
		q := mustLoad(t, dir).Patches[0]
		err := q.Verify(t.Context(), dir, nil)
		must(t, Edit(t.Context(), dir, func(c *Catalogue) error { c.Patches[0] = q; return nil }))
		return err
	}
	mustMean(t, verify(), "first chunk that differs is 1 of 1")
	l.await("the file is left out", func(s *Set) bool { return s.Counts()[StateWrong] == 1 && len(s.Files()) == 0 })
	l.awaitWords("gatepass patch verify found")
	l.awaitLooks(7)
	s, errs := Open(dir, Defaults{})
	if len(s.Files()) != 0 || len(errs) != 1 {
		t.Errorf("the next start: %v", errs)
	}
	replace(t, p.Path, good, 5)
	l.await("the file is offered again", offers(1))
	if q := mustLoad(t, dir).Patches[0]; q.Wrong != "" || !q.WrongChanged.IsZero() {
		t.Errorf("%q is still known to be wrong", q.Wrong)
	}
	replace(t, p.Path, make([]byte, 100), 6)
	mustMean(t, verify(), "is not what was added")
	l.await("the file is left out", offers(0))
	replace(t, p.Path, good, 7)
	must(t, verify())
	l.await("the file is offered again", offers(1))
}

func TestWatch_TellsManyChangesInFewLines(t *testing.T) {
	dir := t.TempDir()
	l := watch(t, dir)
	must(t, Edit(t.Context(), dir, func(c *Catalogue) error {
		for build := range uint16(maxNews + 5) {
			if err := markBuild(build + 1)(c); err != nil {
				return err
			}
		}
		return c.SetKnown(Known{Build: 1})
	}))
	l.awaitWords("changes=6")
	if n := l.journal.count("build marked"); n != maxNews {
		t.Errorf("%d lines", n)
	}
}

// A disk that does not answer does not delay the end. Here the catalogue is a pipe that nobody
// writes to.
func TestWatch_EndsWhileALookHangs(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, catalogueName)
	must(t, unix.Mkfifo(path, 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		Watch(ctx, WatchOptions{Dir: dir, First: NewSet(Defaults{}), Publish: func(*Set) {}})
	}()
	cancel()
	select {
	case <-done:
	case <-time.After(waitLimit):
		t.Error("the watch goes on")
	}
	writer, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	must(t, writer.Close()) // the look continues, and ends
}

// A file with the recorded time and size is read if it is not the one that was offered.
func TestWatch_OtherContentOfTheSameTime(t *testing.T) {
	dir := t.TempDir()
	p := mustAdd(t, dir, grunt(1, 2), 100)
	l := watch(t, dir)
	must(t, os.WriteFile(p.Path+".aside", make([]byte, 100), 0o600))
	must(t, os.Chtimes(p.Path+".aside", p.Modified, p.Modified))
	must(t, os.Rename(p.Path+".aside", p.Path))
	l.await("the file is left out", offers(0))
	l.awaitWords("SHA-256 differs")
}

// A file that is being read when the watch ends is released.
func TestWatch_EndsWhileAFileIsRead(t *testing.T) {
	dir := t.TempDir()
	p := mustAdd(t, dir, grunt(1, 2), 1)
	must(t, Edit(t.Context(), dir, func(c *Catalogue) error {
		q := c.Find(p.ID)
		*q = madeUp(*q, 1<<30)
		q.Path = p.Path
		return nil
	}))
	must(t, os.Truncate(p.Path, 1<<30)) // a hole, which takes a while to read
	l := watch(t, dir)
	l.awaitLooks(7)
}

// Files that are no longer offered are closed, also those of the first Set.
func TestWatch_LetsGoOfTheFirstSet(t *testing.T) {
	dir := t.TempDir()
	mustAdd(t, dir, grunt(1, 2), 100)
	l := watch(t, dir)
	gone := make(chan struct{})
	runtime.AddCleanup(l.last.Files()[0], func(gone chan struct{}) { close(gone) }, gone)
	must(t, Edit(t.Context(), dir, func(c *Catalogue) error { c.Patches = nil; return nil }))
	l.await("the patch is removed", offers(0))
	again, late := time.NewTicker(time.Millisecond), time.After(waitLimit)
	defer again.Stop()
	for {
		runtime.GC()
		select {
		case <-gone:
			return
		case <-again.C:
		case <-late:
			t.Fatal("the file is held on to")
		}
	}
}
