package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

const folder = "../.."

func TestGenerate_WhatIsCommittedIsUpToDate(t *testing.T) {
	files, err := Generate(folder)
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(files)); !slices.Equal(got, []string{"gatepasspb/gatepass.pb.go", descriptorFile}) {
		t.Errorf("generated are %v", got)
	}
	for name, want := range files {
		if got := mustRead(t, name); !bytes.Equal(got, want) {
			t.Errorf("%s is not what gatepass.proto makes: run make generate", name)
		}
	}
}

func TestGenerate_TheSameAgain(t *testing.T) {
	first, err := Generate(folder)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Generate(folder)
	if err != nil || !maps.EqualFunc(first, again, bytes.Equal) {
		t.Errorf("two runs differ: %v", err)
	}
}

func TestRun_WritesIntoTheFolderOfTheContract(t *testing.T) {
	dir := t.TempDir()
	for _, sub := range []string{"testdata", "gatepasspb"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, source), mustRead(t, source), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{dir}); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, descriptorFile)); err != nil || !bytes.Equal(got, mustRead(t, descriptorFile)) {
		t.Errorf("descriptor differs: %v", err)
	}
}

func TestRun_SaysWhatIsWrong(t *testing.T) {
	bad := t.TempDir()
	if err := os.WriteFile(filepath.Join(bad, source), []byte("message M { uint32 a = 1 }"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{nil, {t.TempDir()}, {bad}} {
		if err := run(args); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}

func mustRead(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
