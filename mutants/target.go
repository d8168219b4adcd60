package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// target is a package whose code is changed.
type target struct {
	ImportPath  string
	Dir         string // path in the work tree
	GoFiles     []string
	TestGoFiles []string
	// XTestGoFiles are tests of the external test package in the same folder.
	XTestGoFiles []string
}

func (t *target) tested() bool { return len(t.TestGoFiles)+len(t.XTestGoFiles) > 0 }

// findTargets asks the go command for the packages of the patterns. It skips packages without
// tests.
func findTargets(ctx context.Context, root string, patterns []string) ([]*target, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"list", "-json=ImportPath,Dir,GoFiles,TestGoFiles,XTestGoFiles"}, patterns...)...)
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var all []*target
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		t := new(target)
		if err := d.Decode(t); err != nil {
			return nil, err
		}
		if t.tested() {
			all = append(all, t)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("none of these packages has tests")
	}
	return all, nil
}

// mutation is a site and its package.
type mutation struct {
	site
	target *target
}

// findMutations returns every change of the packages, in package order.
func findMutations(root string, targets []*target) (all []mutation, err error) {
	for _, t := range targets {
		for _, name := range t.GoFiles {
			path := filepath.Join(t.Dir, name)
			source, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			short, err := filepath.Rel(root, path)
			if err != nil {
				return nil, err
			}
			sites, err := findSites(filepath.ToSlash(short), source)
			if err != nil {
				return nil, err
			}
			for _, s := range sites {
				all = append(all, mutation{s, t})
			}
		}
	}
	return all, nil
}

// copyTree copies the module's files, so that tests have a folder to write to. It skips the
// folders of version control and builds.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		short, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if short == ".git" || short == "bin" || short == "data" {
				return filepath.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, short), 0o755)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, short), b, 0o644)
	})
}
