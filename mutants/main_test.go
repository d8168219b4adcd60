package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// writeModule makes a module whose tests catch some mutants and not others.
func writeModule(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example\n\ngo 1.21\n",
		"a.go":   "package a\n\n// Cap is n, ten at most.\nfunc Cap(n int) int {\n\tif n > 10 {\n\t\treturn 10\n\t}\n\tnote(n)\n\treturn n\n}\n\nfunc note(int) {}\n",
		"a_test.go": "package a\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nfunc TestCap(t *testing.T) {\n\tos.WriteFile(\"left.txt\", nil, 0o600)\n" +
			"\tif Cap(11) != 10 || Cap(3) != 3 {\n\t\tt.Fatal(\"wrong\")\n\t}\n}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestRun_CountsAndLeavesTheTreeAlone(t *testing.T) {
	dir := writeModule(t)
	t.Chdir(dir)
	var out, complaints bytes.Buffer
	if code := run(t.Context(), []string{"-at", "a.go:5", "-floor", "100", "."}, &out, &complaints); code != 1 {
		t.Errorf("exit code %d\n%s", code, &complaints)
	}
	for _, line := range []string{
		"killed a.go:5 negate: n > 10 → !(n > 10)",
		"killed a.go:5 drop-guard: n > 10 → false && (n > 10)",
		"    id: a.go: Cap: compare: n > 10",
	} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("it does not say %q:\n%s", line, &out)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 {
		t.Errorf("the tree has %v, %v", entries, err)
	}
	must(t, os.Mkdir("mutants", 0o700))
	must(t, os.WriteFile(acceptedFile, []byte("a.go: Cap: drop-call: note(n)\n    it does nothing\n"), 0o600))
	out.Reset()
	if code := run(t.Context(), []string{"-at", "a.go:8", "-floor", "100", "."}, &out, &complaints); code != 0 || !strings.Contains(out.String(), "it does nothing") {
		t.Errorf("exit code %d with an accepted mutant:\n%s", code, &out)
	}
}

// Tests that fail without a change would make every mutant count as caught.
func TestRun_RefusesTestsThatFail(t *testing.T) {
	dir := writeModule(t)
	must(t, os.WriteFile(filepath.Join(dir, "b_test.go"), []byte("package a\n\nimport \"testing\"\n\nfunc TestNo(t *testing.T) { t.Fatal() }\n"), 0o600))
	t.Chdir(dir)
	var out, complaints bytes.Buffer
	if code := run(t.Context(), []string{"."}, &out, &complaints); code != 2 || !strings.Contains(complaints.String(), "fail without a change") {
		t.Errorf("exit code %d: %s", code, &complaints)
	}
}

func TestRun_EndsATestThatHangs(t *testing.T) {
	dir := writeModule(t)
	must(t, os.WriteFile(filepath.Join(dir, "b.go"), []byte("package a\n\n// Wait ends at zero.\nfunc Wait(n int) {\n\tfor n > 0 {\n\t\tn--\n\t}\n}\n"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "b_test.go"), []byte("package a\n\nimport \"testing\"\n\nfunc TestWait(t *testing.T) { Wait(1); for Cap(11) != 10 {\n} }\n"), 0o600))
	t.Chdir(dir)
	var out bytes.Buffer
	b, err := newBench(dir, false, time.Second)
	must(t, err)
	defer b.Close()
	targets, err := findTargets(t.Context(), dir, []string{"."})
	must(t, err)
	all, err := findMutations(dir, targets)
	must(t, err)
	i := slices.IndexFunc(all, func(m mutation) bool { return m.file == "a.go" && m.kind == kindDropGuard })
	y := &tally{out: &out, most: 1}
	b.limits[targets[0].ImportPath] = time.Second
	must(t, os.Remove(filepath.Join(dir, "a_test.go")))
	must(t, y.playAll(t.Context(), b, all[i:i+1]))
	if y.timeouts != 1 || !strings.HasPrefix(out.String(), "1/1 timeout a.go:5") {
		t.Errorf("%+v\n%s", y, &out)
	}
}

// An interrupted run returns 130 and leaves no process and no temporary file.
func TestRun_Interrupted(t *testing.T) {
	dir := writeModule(t)
	pipe := filepath.Join(t.TempDir(), "pipe")
	must(t, syscall.Mkfifo(pipe, 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "a_test.go"), []byte("package a\n\nimport (\n\t\"os\"\n\t\"testing\"\n\t\"time\"\n)\n\n"+
		"func TestLong(t *testing.T) {\n\tt.TempDir()\n\tf, _ := os.OpenFile(os.Getenv(\"MUTANTS_PIPE\"), os.O_WRONLY, 0)\n"+
		"\tf.WriteString(\"it runs\")\n\ttime.Sleep(time.Hour)\n\tf.Close()\n}\n"), 0o600))
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	t.Setenv("MUTANTS_PIPE", pipe)
	t.Chdir(dir)
	ctx, interrupt := context.WithCancel(t.Context())
	var out, complaints bytes.Buffer
	ended := make(chan int)
	go func() { ended <- run(ctx, []string{"."}, &out, &complaints) }()
	f, err := os.Open(pipe)
	must(t, err)
	_, err = io.ReadFull(f, make([]byte, len("it runs")))
	must(t, err)
	interrupt()
	if code := <-ended; code != 130 || !strings.Contains(complaints.String(), "interrupted") {
		t.Errorf("exit code %d: %s", code, &complaints)
	}
	if b, err := io.ReadAll(f); err != nil || len(b) > 0 { // ends with its last process
		t.Errorf("%q, %v", b, err)
	}
	for _, folder := range []string{tmp, dir} {
		entries, err := os.ReadDir(folder)
		if want := map[string]int{tmp: 0, dir: 3}[folder]; err != nil || len(entries) != want {
			t.Errorf("%s has %v, %v", folder, entries, err)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
