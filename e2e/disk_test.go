package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFullDisk: on a full disk players go on logging in, changes of accounts are refused
// with the reason, and operators are told; with room again changes are taken, in the same
// process, and what was acknowledged is there.
func TestFullDisk(t *testing.T) {
	r := newRegion(t, []string{"login.a", "manager.a"}, "GATEPASS_SESSIONS__DURABLE_LOGINS=true")
	r.manager("a") // without one it would not know what to say to unknown names
	mount := filepath.Join(t.TempDir(), "small")
	mountSmall(t, mount, "24m")
	data := filepath.Join(mount, "data")
	login := func() *gatepass {
		g := r.node("login", "--node", "a", "--data", data, "--grunt", "127.0.0.1:0", "--native", "")
		g.data = data
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("it logged:\n%.8000s", g.stderr)
			}
		})
		return g
	}
	g := login()
	eventually(t, "it knows the manager", func() bool { _, body, _ := g.get("/healthz"); return body == "ok\n" })
	stored := addUntilRefused(t, g, "first")
	for round := range 2 {
		g.onFullDisk(stored)
		if round == 1 { // it can be started again there
			g.stop()
			g = login()
			g.onFullDisk(stored)
		}
		if err := os.Remove(filepath.Join(mount, "ballast")); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it takes changes again", func() bool { _, body, _ := g.get("/healthz"); return body == "ok\n" })
		extra := who{fmt.Sprintf("LATE%d", round), "pw"}
		g.account(extra.password+"\n", "add", "--no-native", "--password-stdin", extra.name)
		stored = append(stored, extra)
		g.allLogIn(stored)
		if n := g.metric("gatepass_storage_failed"); n != 0 {
			t.Errorf("gatepass_storage_failed is %v with room again", n)
		}
		if round == 0 {
			stored = append(stored, addUntilRefused(t, g, "second")...)
		}
	}
	g.stop()
	g = login()
	g.allLogIn(stored)
}

// onFullDisk checks how a login server behaves whose disk is full.
func (g *gatepass) onFullDisk(stored []who) {
	g.t.Helper()
	said := strings.Count(g.stderr.String(), "no space left")
	if status, body, err := g.get("/healthz"); err != nil || status != 200 || !strings.HasPrefix(body, "degraded: ") ||
		!strings.Contains(body, "read-only") || !strings.Contains(body, "no space left") {
		g.t.Errorf("/healthz: %d %q %v", status, body, err)
	}
	g.mustGet("/readyz")
	before := g.metric("gatepass_storage_notes_dropped_total")
	g.allLogIn(stored)
	if dropped := g.metric("gatepass_storage_notes_dropped_total") - before; dropped < float64(len(stored)) {
		g.t.Errorf("%v records of %d logins were counted as dropped", dropped, len(stored))
	}
	for _, change := range [][]string{
		{"add", "--no-native", "--password-stdin", "NOBODY"}, {"passwd", "--no-native", "--password-stdin", stored[0].name},
		{"ban", "--forever", stored[0].name}, {"delete", "--yes", stored[0].name}, {"ban", "--forever", "--address", "203.0.113.0/24"},
	} {
		out, err := account(g.data, "another\n", change...)
		if err == nil || !strings.Contains(out, "no space left on device") {
			g.t.Errorf("account %v on a full disk: %v\n%s", change, err, out)
		}
	}
	g.account("", "show", stored[0].name)
	g.allLogIn(stored[:1])
	if n := strings.Count(g.stderr.String(), "no space left") - said; n > 10 {
		g.t.Errorf("%d lines say that there is no space left:\n%.4000s", n, g.stderr)
	}
}

func (g *gatepass) allLogIn(all []who) {
	g.t.Helper()
	for _, w := range all {
		c := dial(g.t, g.grunt, vanilla)
		c.mustLogin(w)
		c.close()
	}
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

// addUntilRefused adds accounts, fills the disk and adds more until some are not taken:
// the store's log has room set aside. It returns some of those that were.
func addUntilRefused(t *testing.T, g *gatepass, name string) (stored []who) {
	t.Helper()
	for i := range 3 {
		w := who{fmt.Sprintf("%s%d", strings.ToUpper(name), i), "pw"}
		g.account(w.password+"\n", "add", "--no-native", "--password-stdin", w.name)
		stored = append(stored, w)
	}
	fill(t, filepath.Join(filepath.Dir(g.data), "ballast"))
	for batch := range 1000 {
		rows := new(strings.Builder)
		fmt.Fprintln(rows, "username,password")
		for i := range 2000 {
			fmt.Fprintf(rows, "%s%dx%d,pw\n", name[:1], batch, i)
		}
		out, err := account(g.data, "", "import", writeFile(t, "players.csv", rows.String()))
		if err != nil {
			t.Logf("batch %d is not taken: %s", batch, out)
			return stored
		}
		stored = append(stored, who{strings.ToUpper(fmt.Sprintf("%s%dx%d", name[:1], batch, batch)), "pw"})
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
