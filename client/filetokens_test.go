package client_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gatepass/client"
)

func TestFileTokens_KeepsWhatItIsGiven(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "when needed")
	store := client.NewFileTokens(dir)
	if _, err := store.Load(account); !errors.Is(err, client.ErrNoToken) {
		t.Fatal(err)
	}
	if err := store.Forget(account); err != nil {
		t.Fatal(err)
	}
	memory := newMemory()
	synctest.Test(t, func(t *testing.T) { remembered(t, memory) })
	for _, token := range []client.Token{memory.token(), {Device: [16]byte{1}}, withNext(memory.token())} {
		if err := store.Save("../"+account, token); err != nil {
			t.Fatal(err)
		}
		if got, err := store.Load("../" + account); err != nil || got != token {
			t.Fatalf("another one came back: %v", err)
		}
	}
	checkFolder(t, dir)
	leaveHalf(t, dir)
	if got, err := store.Load("../" + account); err != nil || got != withNext(memory.token()) {
		t.Fatalf("a crash while saving changed what there was: %v", err)
	}
	if err := store.Save("../"+account, memory.token()); err != nil {
		t.Fatal(err)
	}
	checkFolder(t, dir)
	if err := store.Forget("../" + account); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Load("../" + account); !errors.Is(err, client.ErrNoToken) {
		t.Fatal(err)
	}
}

func withNext(t client.Token) client.Token {
	t.Next = [32]byte{9}
	return t
}

// leaveHalf does what a crash in the middle of Save leaves.
func leaveHalf(t *testing.T, dir string) {
	t.Helper()
	entries, _ := os.ReadDir(dir)
	half := filepath.Join(dir, entries[0].Name()+".1.new")
	if err := os.WriteFile(half, []byte(`{"for`), 0o600); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(half, long, long); err != nil {
		t.Fatal(err)
	}
}

// checkFolder wants one file, for its owner only.
func checkFolder(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v", entries, err)
	}
	file, _ := entries[0].Info()
	folder, _ := os.Stat(dir)
	if file.Mode() != 0o600 || folder.Mode().Perm() != 0o700 {
		t.Fatalf("modes %v, %v", file.Mode(), folder.Mode())
	}
}

func TestFileTokens_DamageIsNotForgetting(t *testing.T) {
	dir := t.TempDir()
	store := client.NewFileTokens(dir)
	if err := store.Save(account, client.Token{Device: [16]byte{1}, Family: [16]byte{2}}); err != nil {
		t.Fatal(err)
	}
	entries, _ := os.ReadDir(dir)
	path := filepath.Join(dir, entries[0].Name())
	whole, _ := os.ReadFile(path)
	for _, damaged := range []string{"", "{", `{"format":2}`, strings.Replace(string(whole), "02", "0", 1), strings.Repeat(" ", 1<<20)} {
		if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Load(account); err == nil || errors.Is(err, client.ErrNoToken) {
			t.Fatalf("%.20q gave %v", damaged, err)
		}
	}
}
