package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFullDisk: when the disk is full the server says so and ends with a failure
// rather than go on without its records; what was acknowledged before is there
// once there is room.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	mount := filepath.Join(t.TempDir(), "small")
	mountSmall(t, mount, "12m")
	g := start(t, setup{data: filepath.Join(mount, "data")})
	stored := addUntilRefused(t, g)
	if code := g.wait(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	if said := g.stderr.String(); !strings.Contains(said, "gatepass: ") || !strings.Contains(said, "no space left") {
		t.Errorf("said:\n%.2000s", said)
	}
	if err := unix.Mount("", mount, "", unix.MS_REMOUNT, "size=256m"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(mount, "ballast")); err != nil {
		t.Fatal(err)
	}
	g = start(t, setup{data: g.data})
	for _, w := range stored {
		c := dial(t, g.grunt, vanilla)
		c.mustLogin(w)
		c.close()
	}
	g.healthy()
}

// mountSmall makes a folder with a disk of its own, of a size such as "12m"; the test's
// end takes it away.
func mountSmall(t *testing.T, mount, size string) {
	t.Helper()
	if err := os.MkdirAll(mount, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", mount, "tmpfs", 0, "size="+size+",mode=0700"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("CI must be able to mount a small disk, as root: %v", err)
		}
		t.Skipf("no small disk: %v; run it as root: sudo -E go test -run %s ./e2e", err, t.Name())
	}
	t.Cleanup(func() {
		if err := unix.Unmount(mount, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
}

// addUntilRefused fills the disk and adds accounts until one is not taken. It
// returns those that were.
func addUntilRefused(t *testing.T, g *gatepass) (stored []who) {
	t.Helper()
	for i := range 10_000 {
		if i == 3 {
			fill(t, filepath.Join(filepath.Dir(g.data), "ballast"))
		}
		w := who{fmt.Sprintf("PLAYER%d", i), fmt.Sprintf("pw%d", i)}
		out, err := account(g.data, w.password+"\n", "add", "--no-native", "--password-stdin", w.name)
		if err != nil {
			t.Logf("%d accounts are stored; then: %s", len(stored), out)
			return stored
		}
		stored = append(stored, w)
	}
	t.Fatal("the disk does not get full")
	return nil
}

// fill writes a file until there is no room.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 4096)
	for range 1 << 20 {
		if _, err := f.Write(block); err != nil {
			return
		}
	}
	t.Fatal("the disk does not get full")
}
