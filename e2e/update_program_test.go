package e2e

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// updateArgs are a command line of `gatepass client` of an old build.
func updateArgs(t testing.TB, g *gatepass, more ...string) []string {
	t.Helper()
	return clientArgs(t, g, "ana", append([]string{"--build", "41"}, more...)...)
}

// mustEnd wants a program to end so.
func (p *clientProcess) mustEnd(code int) {
	p.t.Helper()
	if got := p.wait(); got != code {
		p.t.Errorf("exit code %d, want %d\n%s", got, code, p.stderr)
	}
}

// TestUpdate_Program: `gatepass client` tells scripts of an update and downloads it
// where a flag or a line says so, and not else.
func TestUpdate_Program(t *testing.T) {
	t.Parallel()
	f := newPatchFile(t, 1<<20+1)
	g := startNativePatched(t, setup{}, f, "ana")
	dir := t.TempDir()
	path := filepath.Join(dir, f.name())

	flag := startClient(t, updateArgs(t, g, "--update", dir)...)
	flag.until("update-offered", `"size":1048577`)
	flag.until("update-done", path)
	flag.mustEnd(4)
	f.check(t, path)

	dir = t.TempDir()
	path = filepath.Join(dir, f.name())
	line := startClient(t, updateArgs(t, g)...)
	line.until("update-offered", `"to":42`)
	line.say("quit")
	line.mustEnd(5)

	silent := startClient(t, updateArgs(t, g)...)
	silent.until("update-offered", "")
	must(t, silent.in.Close())
	silent.mustEnd(5)

	// For people, without JSON.
	args := updateArgs(t, g, "--update", dir)
	at := slices.Index(args, "--json")
	code, out := runs(t, slices.Delete(args, at, at+1)...)
	if code != 4 || !strings.Contains(out, path) || strings.Contains(out, "secret") {
		t.Errorf("exit code %d, or without %s:\n%s", code, path, out)
	}
	f.check(t, path)
	g.untilIdle()
	g.healthy()
}

// TestUpdate_ProgramKilled: a program that is killed under way goes on when it is
// started again.
func TestUpdate_ProgramKilled(t *testing.T) {
	t.Parallel()
	f := newPatchFile(t, 2<<20)
	g := startNativePatched(t, setup{env: []string{"GATEPASS_UPDATES__CLIENT_RATE=1"}}, f, "ana")
	args := updateArgs(t, g, "--update", t.TempDir())
	first := startClient(t, args...)
	for at := 0; at < 512<<10; {
		at = doneOf(t, first.until("update-progress", `"receiving"`))
	}
	must(t, first.cmd.Process.Signal(syscall.SIGKILL))
	first.wait()
	second := startClient(t, args...)
	if at := doneOf(t, second.until("update-progress", `"receiving"`)); at < 256<<10 {
		t.Errorf("it goes on with byte %d", at)
	}
	done := second.until("update-done", "")
	second.mustEnd(4)
	var told struct{ Path string }
	must(t, json.Unmarshal([]byte(done.text), &told))
	f.check(t, told.Path)
}

func doneOf(t testing.TB, l clientLine) int {
	t.Helper()
	var p struct{ Done int }
	must(t, json.Unmarshal([]byte(l.text), &p))
	return p.Done
}
