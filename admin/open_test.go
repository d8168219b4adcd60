package admin

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"gatepass/accounts"
	"gatepass/storage"
	"gatepass/storage/pebble"
)

// engineOf is the engine of a data folder's store.
func engineOf(dataDir string) storage.Engine {
	return pebble.Engine{Options: pebble.Options{Dir: StorePath(dataDir)}}
}

func mustOpen(t *testing.T, o OpenOptions) *Handle {
	t.Helper()
	o.Manager, o.Engine = testOptions(), engineOf(o.DataDir)
	h, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestOpen_MakesTheFolderOnlyWhenAsked(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	for range 2 {
		if _, err := Open(t.Context(), OpenOptions{DataDir: dir, Engine: engineOf(dir)}); !errors.Is(err, ErrNoData) {
			t.Fatalf("%v, want ErrNoData", err)
		}
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder was made: %v", err)
	}
	h := mustOpen(t, OpenOptions{DataDir: dir, Create: true})
	if err := errors.Join(h.Add(t.Context(), "A", "x"), h.Close()); err != nil || h.Live {
		t.Fatalf("%v, live %v", err, h.Live)
	}
	h = mustOpen(t, OpenOptions{DataDir: dir})
	mustShow(t, h.Manager, "A")
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpen_AsksTheServerWhereOneRuns(t *testing.T) {
	dir := t.TempDir()
	store, err := storage.OpenClient(engineOf(dir), storage.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	changes := make(chan accounts.Change, 1)
	o := testOptions()
	o.OnChange = func(c accounts.Change) { changes <- c }
	startControl(t, accounts.New(store, o), SocketPath(dir))
	h := mustOpen(t, OpenOptions{DataDir: dir})
	defer h.Close()
	if err := h.Add(t.Context(), "A", "x"); err != nil || !h.Live {
		t.Errorf("%v, live %v", err, h.Live)
	}
	if c := <-changes; c.Kind != accounts.ChangeAdd || c.Name.String() != "A" {
		t.Errorf("the server was told %+v", c)
	}
}

func TestOpen_LockedAndNobodyAnswers(t *testing.T) {
	dir := t.TempDir()
	store, err := storage.OpenClient(engineOf(dir), storage.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	o := OpenOptions{DataDir: dir, Engine: engineOf(dir), wait: lockRetry}
	if _, err := Open(t.Context(), o); !errors.Is(err, ErrInUse) {
		t.Errorf("%v, want ErrInUse", err)
	}
}

func TestOpen_RootLeavesNoFilesInAnothersStore(t *testing.T) {
	if os.Geteuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("CI must run this as root")
		}
		t.Skip("needs root: sudo -E go test -run RootLeavesNoFiles ./admin")
	}
	dir := t.TempDir()
	if err := os.Mkdir(StorePath(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(StorePath(dir), 12345, 12345); err != nil {
		t.Fatal(err)
	}
	if h, err := Open(t.Context(), OpenOptions{DataDir: dir, Engine: engineOf(dir), Create: true}); err == nil {
		h.Close()
		t.Error("root opened it")
	}
	if entries, err := os.ReadDir(StorePath(dir)); err != nil || len(entries) != 0 {
		t.Errorf("the store holds %v, %v", entries, err)
	}
	// Through the server nothing of root's is left there.
	startControl(t, newTestManager(t), SocketPath(dir))
	h := mustOpen(t, OpenOptions{DataDir: dir})
	defer h.Close()
	if err := h.Add(t.Context(), "A", "x"); err != nil {
		t.Error(err)
	}
}
