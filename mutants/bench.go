package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// outcome is the result of one mutant.
type outcome string

const (
	outcomeKilled   outcome = "killed"   // a test failed
	outcomeTimeout  outcome = "timeout"  // the tests did not end; counts as caught
	outcomeSurvived outcome = "survived" // no test noticed
	outcomeNoBuild  outcome = "no-build" // the compiler rejected it; not counted
)

// bench builds mutants and runs their tests. Close removes its files.
type bench struct {
	root, copy, scratch string
	short               bool
	most                time.Duration            // time limit of one test run
	limits              map[string]time.Duration // by import path, measured without a change
}

func newBench(root string, short bool, most time.Duration) (*bench, error) {
	scratch, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return nil, err
	}
	b := &bench{
		root: root, copy: filepath.Join(scratch, "tree"), scratch: scratch,
		short: short, most: most, limits: make(map[string]time.Duration),
	}
	if err := copyTree(root, b.copy); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

func (b *bench) Close() error { return os.RemoveAll(b.scratch) }

// grace is how many times longer than the unchanged tests a mutant's tests may take.
const grace = 4

// measure runs the tests of the unchanged package. They must pass; otherwise every mutant
// would count as caught.
func (b *bench) measure(ctx context.Context, t *target) error {
	if _, known := b.limits[t.ImportPath]; known {
		return nil
	}
	binary := b.binary()
	if out, err := b.build(ctx, t, binary, ""); err != nil {
		return fmt.Errorf("%s does not build: %w\n%s", t.ImportPath, err, out)
	}
	begin := time.Now()
	out, err := b.run(ctx, t, binary, b.most)
	if err != nil {
		return fmt.Errorf("the tests of %s fail without a change: %w\n%.4000s", t.ImportPath, err, out)
	}
	b.limits[t.ImportPath] = min(b.most, 10*time.Second+grace*time.Since(begin))
	return nil
}

// try builds a mutant and runs its tests. It also returns their output.
func (b *bench) try(ctx context.Context, m *mutation) (what outcome, said string, err error) {
	overlay, undo, err := b.overlay(m)
	if err != nil {
		return "", "", err
	}
	defer func() { err = errors.Join(err, undo()) }()
	binary := b.binary()
	if out, err := b.build(ctx, m.target, binary, overlay); err != nil {
		return outcomeNoBuild, out, ctx.Err()
	}
	out, err := b.run(ctx, m.target, binary, b.limits[m.target.ImportPath])
	switch {
	case ctx.Err() != nil:
		return "", "", ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return outcomeTimeout, out, nil
	case err != nil:
		return outcomeKilled, out, nil
	}
	// A different array length is a different type, so packages that use it may not build.
	if m.kind == kindConstant {
		if out, err := b.compile(ctx, overlay); err != nil {
			return outcomeNoBuild, out, ctx.Err()
		}
	}
	return outcomeSurvived, out, nil
}

func (b *bench) binary() string { return filepath.Join(b.scratch, "mutant.test") }

// overlay writes the changed file into the copy of the tree, for tests that read code, and the
// overlay file for the go command. undo restores the copy.
func (b *bench) overlay(m *mutation) (path string, undo func() error, err error) {
	original := filepath.Join(b.root, filepath.FromSlash(m.file))
	source, err := os.ReadFile(original)
	if err != nil {
		return "", nil, err
	}
	changed := filepath.Join(b.copy, filepath.FromSlash(m.file))
	if err := os.WriteFile(changed, m.apply(source), 0o644); err != nil {
		return "", nil, err
	}
	undo = func() error { return os.WriteFile(changed, source, 0o644) }
	list, err := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	if err != nil {
		return "", nil, err
	}
	path = filepath.Join(b.scratch, "overlay.json")
	return path, undo, os.WriteFile(path, list, 0o600)
}

func (b *bench) build(ctx context.Context, t *target, binary, overlay string) (string, error) {
	args := []string{"test", "-c", "-vet=off", "-o", binary}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	return b.tool(ctx, append(args, t.ImportPath)...)
}

// compile builds the whole module with an overlay.
func (b *bench) compile(ctx context.Context, overlay string) (string, error) {
	return b.tool(ctx, "build", "-overlay", overlay, "./...")
}

// tool runs the go command with the bench's folder for temporary files.
func (b *bench) tool(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = b.root, append(os.Environ(), "GOTMPDIR="+b.scratch)
	asGroup(cmd)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// asGroup makes the end of a command's context end all processes that the command has started.
func asGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
}

// run runs a test binary in the package's folder of the copy. It ends the binary and all
// processes that the binary starts when the limit is over or ctx ends.
func (b *bench) run(ctx context.Context, t *target, binary string, limit time.Duration) (string, error) {
	folder, err := filepath.Rel(b.root, t.Dir)
	if err != nil {
		return "", err
	}
	timed, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	args := []string{"-test.failfast", "-test.timeout=0"}
	if b.short {
		args = append(args, "-test.short")
	}
	cmd := exec.CommandContext(timed, binary, args...)
	cmd.Dir = filepath.Join(b.copy, folder)
	cmd.Env = append(os.Environ(), "PWD="+cmd.Dir, "TMPDIR="+b.scratch)
	asGroup(cmd)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	if timed.Err() != nil && err != nil {
		err = timed.Err()
	}
	return out.String(), err
}
