package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestStore_ReadOnlyMount: on a disk that cannot be written, and on a full one, the
// commands that only read work; those that change something say why they do not.
func TestStore_ReadOnlyMount(t *testing.T) {
	mount := filepath.Join(t.TempDir(), "small")
	mountSmall(t, mount, "12m")
	data := filepath.Join(mount, "data")
	if out, err := account(data, "pw\n", "add", "--no-native", "--password-stdin", "ALICE"); err != nil {
		t.Fatal(out)
	}
	fill(t, filepath.Join(mount, "ballast"))
	reads(t, data, "on a full disk")
	if err := unix.Mount("", mount, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	reads(t, data, "on a read-only disk")
	if out, err := account(data, "pw\n", "add", "--no-native", "--password-stdin", "BOB"); err == nil || !strings.Contains(out, "read-only file system") {
		t.Errorf("add on a read-only disk: %v\n%s", err, out)
	}
}

// reads runs each command that only reads.
func reads(t *testing.T, data, where string) {
	t.Helper()
	for _, args := range [][]string{{"list"}, {"list", "--addresses"}, {"show", "ALICE"}, {"devices", "ALICE"}, {"export", "--format", "ndjson", "-"}} {
		if out, err := account(data, "", args...); err != nil {
			t.Errorf("account %v %s: %v\n%s", args, where, err, out)
		}
	}
	cmd := command("store", "check", "--data", data)
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "accounts      1\n") {
		t.Errorf("store check %s: %v\n%s", where, err, out)
	}
}

// TestStore_DamagedAfterAKill: a server that was killed starts again with all that
// was acknowledged; with a damaged log it does not start, says why, and touches nothing.
func TestStore_DamagedAfterAKill(t *testing.T) {
	g := start(t, setup{})
	for i := range 20 {
		if out, err := account(g.data, "pw\n", "add", "--no-native", "--password-stdin", fmt.Sprintf("KILLED%d", i)); err != nil {
			t.Fatal(out)
		}
	}
	g.kill()
	if out, err := account(g.data, "", "list"); err != nil || strings.Count(out, "KILLED") != 20 {
		t.Fatalf("%v\n%s", err, out)
	}
	store := filepath.Join(g.data, "accounts")
	logs, err := filepath.Glob(filepath.Join(store, "*.log"))
	if err != nil || len(logs) == 0 {
		t.Fatal(logs, err)
	}
	log := logs[len(logs)-1]
	raw, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(log, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	before := listing(t, store)
	for _, args := range [][]string{{"dev", "--data", g.data}, {"account", "--data", g.data, "list"}} {
		out, err := command(args...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "the account store is damaged") || !strings.Contains(string(out), filepath.Base(log)) {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
	if after := listing(t, store); after != before {
		t.Errorf("the folder was changed:\n%s\n%s", before, after)
	}
}

// listing is the names, sizes and times of a folder's files.
func listing(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if e.Name() != "LOCK" {
			fmt.Fprintln(&b, e.Name(), info.Size(), info.ModTime())
		}
	}
	return b.String()
}
