package patches

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSet_CountsAndStates(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Remove(mustAdd(t, dir, grunt(1, 2), 100).Path))
	must(t, os.Truncate(mustAdd(t, dir, grunt(2, 3), 100).Path, 99))
	must(t, os.Chtimes(mustAdd(t, dir, grunt(3, 4), 100).Path, time.Time{}, time.Unix(1, 0)))
	mustAdd(t, dir, grunt(4, 5), 100)
	folder := mustAdd(t, dir, grunt(5, 6), 100).Path
	must(t, os.Remove(folder))
	must(t, os.Mkdir(folder, 0o700))
	wrong := mustAdd(t, dir, grunt(6, 7), 100)
	changed, err := changedAt(wrong.Path)
	must(t, err)
	must(t, Edit(t.Context(), dir, func(c *Catalogue) error {
		p := c.Find(wrong.ID)
		p.Wrong, p.WrongChanged = "it is another one", changed
		return nil
	}))
	c := mustLoad(t, dir)
	if p := c.Find(wrong.ID); p.Wrong != "it is another one" || !p.WrongChanged.Equal(changed) {
		t.Errorf("%+v", p)
	}
	s, _ := Open(dir, Defaults{})
	var states []string
	for _, e := range s.Entries() {
		states = append(states, e.State().String())
	}
	if got := strings.Join(states, " "); got != "missing changed checking offered unreadable wrong" {
		t.Error(got)
	}
	if got := s.Counts(); got != [StateCount]int{1, 1, 1, 1, 1, 1} {
		t.Error(got)
	}
	if State(99).String() != "state(99)" || (*Set)(nil).Counts() != [StateCount]int{} {
		t.Error("not whole")
	}
}

func TestSet_Fault(t *testing.T) {
	dir := t.TempDir()
	if s, _ := Open(dir, Defaults{}); s.Fault() != nil || (*Set)(nil).Fault() != nil {
		t.Error("no catalogue is none that is broken")
	}
	must(t, os.Remove(mustAdd(t, dir, grunt(1, 2), 100).Path))
	if s, errs := Open(dir, Defaults{}); s.Fault() != nil || len(errs) != 1 {
		t.Error(s.Fault(), errs)
	}
	must(t, os.WriteFile(filepath.Join(dir, catalogueName), []byte("{"), 0o600))
	s, _ := Open(dir, Defaults{})
	mustMean(t, s.Fault(), dir, "cannot be used")
}

func TestCatalogue_WrongIsFewWords(t *testing.T) {
	for _, words := range []string{strings.Repeat("x", maxWrong+1), "\xff", "a\x1b[2J"} {
		p := madeUp(grunt(1, 2), 1)
		p.Wrong = words
		mustMean(t, new(Catalogue).Add(p), "what is wrong with it")
	}
}

func TestCatalogue_KnownOfOneBuildAreFew(t *testing.T) {
	var c Catalogue
	for i := range maxKnownEach {
		must(t, c.SetKnown(Known{Build: 1, HMAC: [20]byte{byte(i)}}))
		must(t, c.SetKnown(Known{Build: 1, Platform: "Win-x86", HMAC: [20]byte{byte(i)}}))
	}
	mustMean(t, c.SetKnown(Known{Build: 1, HMAC: [20]byte{99}}), "at most 32", "build 1 (any platform)")
}

func TestFile_TellsItsNameWithoutHarm(t *testing.T) {
	dir, path := t.TempDir(), filepath.Join(t.TempDir(), "a\x1b[2Jb")
	mustWrite(t, path, 10)
	p, err := Measure(t.Context(), path, nil)
	must(t, err)
	p.From, p.To = 1, 2
	must(t, Edit(t.Context(), dir, func(c *Catalogue) error { return c.Add(p) }))
	s, _ := Open(dir, Defaults{})
	f := s.Files()[0]
	if got := f.String(); got != `grunt-1-2 ("a\x1b[2Jb")` {
		t.Error(got)
	}
	var b bytes.Buffer
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "file", f)
	if !strings.Contains(b.String(), `"file":"grunt-1-2 (`) {
		t.Error(b.String())
	}
	must(t, os.Remove(path))
	s, errs := Open(dir, Defaults{})
	if len(s.Files()) != 0 || strings.Contains(errors.Join(errs...).Error(), "\x1b") {
		t.Error(errs)
	}
}
