package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// holds checks the folder's only file.
func holds(t *testing.T, dir, name, content string, mode os.FileMode) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != name {
		t.Fatalf("the folder has %v, %v", entries, err)
	}
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil || string(b) != content {
		t.Errorf("it holds %q, %v", b, err)
	}
	if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode() != mode {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
}

func TestWrite_MakesAndReplaces(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := Write(path, ".new-*", Content([]byte("one"))); err != nil {
		t.Fatal(err)
	}
	holds(t, dir, "a", "one", 0o600)
	err := Write(path, ".new-*", func(f *os.File) error {
		return errors.Join(Content([]byte("two"))(f), f.Chmod(0o640))
	})
	if err != nil {
		t.Fatal(err)
	}
	holds(t, dir, "a", "two", 0o640)
}

func TestWrite_ErrorLeavesWhatWas(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := Write(path, ".new-*", Content([]byte("one"))); err != nil {
		t.Fatal(err)
	}
	full := errors.New("full")
	err := Write(path, ".new-*", func(f *os.File) error {
		return errors.Join(Content([]byte("two"))(f), full)
	})
	if !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
	holds(t, dir, "a", "one", 0o600)
	if err := Write(filepath.Join(dir, "none", "a"), ".new-*", Content(nil)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("in a folder that is not there: %v", err)
	}
}

// A folder with the name of the file cannot be replaced.
func TestWrite_FolderInTheWay(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "a"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(dir, "a"), ".new-*", Content([]byte("one"))); err == nil {
		t.Error("a folder was replaced")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 || !entries[0].IsDir() {
		t.Errorf("the folder has %v", entries)
	}
}

func TestAside_NamesByThePattern(t *testing.T) {
	dir := t.TempDir()
	path, err := Aside(dir, "b.*.new", Content([]byte("one")))
	if err != nil {
		t.Fatal(err)
	}
	if ok, _ := filepath.Match(filepath.Join(dir, "b.*.new"), path); !ok {
		t.Errorf("it is %s", path)
	}
	holds(t, dir, filepath.Base(path), "one", 0o600)
	if err := Rename(path, filepath.Join(dir, "c")); err != nil {
		t.Fatal(err)
	}
	holds(t, dir, "c", "one", 0o600)
}

func TestSyncFolder(t *testing.T) {
	if err := SyncFolder(t.TempDir()); err != nil {
		t.Error(err)
	}
	if err := SyncFolder(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}
