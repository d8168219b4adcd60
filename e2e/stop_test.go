package e2e

import (
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestStop_Drains: asked to end, the server first says that it is not ready,
// lets who is logging in finish, and leaves as soon as they have.
func TestStop_Drains(t *testing.T) {
	t.Parallel()
	g := start(t, setup{args: []string{"--drain-limit", "15s"}})
	idle := dial(t, g.grunt, vanilla)
	g.account("x\n", "add", "--password-stdin", "bob")
	choosing := dial(t, g.grunt, vanilla)
	choosing.mustLogin(who{"BOB", "x"})
	halfway := dial(t, g.grunt, wotlk)
	x := halfway.challenged(demo)

	begin := time.Now()
	g.signal(syscall.SIGTERM)
	eventually(t, "it is not ready any more", func() bool {
		status, _, err := g.get("/readyz")
		return err == nil && status == 503
	})
	if status, _, err := g.get("/healthz"); status != 200 {
		t.Errorf("draining, but not healthy: status %d, %v", status, err)
	}
	idle.expectClosed()
	choosing.expectClosed()
	late := dial(t, g.grunt, vanilla)
	late.expectClosed()

	halfway.send(x.proof)
	halfway.accepted(x)
	if got := string(halfway.worlds()); got != wotlk.demoList() {
		t.Errorf("list while draining: % x", got)
	}
	halfway.close()
	if code := g.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("left after %v, though nobody was there any more", took)
	}
	if !strings.Contains(g.stdout.String(), "draining") {
		t.Errorf("said:\n%s", g.stdout)
	}
}

// TestStop_DrainLimit: who does not finish in time is hung up on, and the
// server still ends well.
func TestStop_DrainLimit(t *testing.T) {
	t.Parallel()
	g := start(t, setup{args: []string{"--drain-limit", "300ms"}})
	halfway := dial(t, g.grunt, wotlk)
	halfway.challenged(demo)
	g.signal(syscall.SIGTERM)
	halfway.expectClosed()
	if code := g.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestStop_TwoSignals: a second signal does not wait for the drain.
func TestStop_TwoSignals(t *testing.T) {
	t.Parallel()
	g := start(t, setup{args: []string{"--drain-limit", "10m"}})
	halfway := dial(t, g.grunt, wotlk)
	halfway.challenged(demo)
	g.signal(syscall.SIGINT)
	eventually(t, "it drains", func() bool {
		status, _, err := g.get("/readyz")
		return err == nil && status == 503
	})
	g.signal(syscall.SIGTERM)
	if code := g.wait(); code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
	// What was left in the middle is no harm to the next start.
	g = start(t, setup{data: g.data})
	g.healthy()
}

// TestStop_AtOnce: a server that is stopped while it starts ends as well.
func TestStop_AtOnce(t *testing.T) {
	t.Parallel()
	for _, delay := range []time.Duration{0, 20 * time.Millisecond, 80 * time.Millisecond, 200 * time.Millisecond} {
		g, _ := launch(t, setup{})
		timer := time.NewTimer(delay)
		<-timer.C
		g.signal(syscall.SIGTERM)
		// Before the signals are armed it is the signal that ends it.
		if code := g.wait(); code != 0 && code != -1 {
			t.Errorf("after %v: exit code %d\n%s", delay, code, g.stderr)
		}
		g = start(t, setup{data: g.data})
		g.healthy()
		g.stop()
	}
}

// TestStart_Refused: what keeps a server from starting is said in a line that
// names it, and by the exit code.
func TestStart_Refused(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	running := start(t, setup{})
	file := writeFile(t, "a-file", "")
	cases := []struct {
		name string
		args []string
		code int
		says []string
	}{
		{"unknown flag", []string{"dev", "--dta", "x"}, 2, []string{"--dta", "--help"}},
		{"bad value", []string{"dev", "--reactors", "many"}, 2, []string{"reactors", "many"}},
		{"bad level", []string{"dev", "--log.level", "loud", "--log.format", "xml"}, 2, []string{"loud", "xml"}},
		{"no such configuration", []string{"dev", "--config", file + ".toml"}, 2, []string{file + ".toml"}},
		{"an argument too many", []string{"dev", "now"}, 2, []string{"now"}},
		{"unknown command", []string{"devv"}, 2, []string{`"devv"`, `"dev"`}},
		{"unknown account command", []string{"account", "frob"}, 2, []string{"frob", "account --help"}},
		{"players' port in use", []string{"dev", "--grunt", taken.Addr().String()}, 1, []string{taken.Addr().String(), "in use"}},
		{"operators' port in use", []string{"dev", "--admin", taken.Addr().String()}, 1, []string{taken.Addr().String(), "in use"}},
		{"another server's players' port", []string{"dev", "--grunt", running.grunt}, 1, []string{running.grunt, "in use"}},
		{"another server's folder", []string{"dev", "--data", running.data}, 1, []string{running.data, "another process is using it"}},
		{"folder is a file", []string{"dev", "--data", file}, 2, []string{file, "not a folder"}},
		{"folder below a file", []string{"dev", "--data", file + "/data"}, 1, []string{file}},
		{"address of nobody", []string{"dev", "--grunt", "192.0.2.1:3724"}, 1, []string{"192.0.2.1:3724"}},
		{"address without a port", []string{"dev", "--grunt", "127.0.0.1"}, 2, []string{"127.0.0.1", "port"}},
		{"more connections than files", []string{"dev", "--max-conns", "100000000"}, 1, []string{"max-conns", "ulimit -n"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			code, out := runs(t, withDefaults(t, c.args)...)
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			for _, word := range c.says {
				if !strings.Contains(out, word) {
					t.Errorf("does not say %q", word)
				}
			}
			if strings.Count(out, "gatepass: ") != 1 {
				t.Error("more than one complaint")
			}
			if t.Failed() {
				t.Log(out)
			}
		})
	}
	running.healthy()
}

// withDefaults adds what keeps a server that starts by mistake from disturbing
// anything.
func withDefaults(t *testing.T, args []string) []string {
	if args[0] != "dev" {
		return args
	}
	return append(devArgs(t, t.TempDir()), args[1:]...)
}

// TestStart_StaleSocket: what a server that was killed leaves behind is in
// nobody's way.
func TestStart_StaleSocket(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	g.kill()
	if _, err := os.Lstat(g.data + "/gatepass.sock"); err != nil {
		t.Fatalf("nothing is left behind, so this tests nothing: %v", err)
	}
	// An operator's command first: there is nobody behind the socket.
	g.account("x\n", "add", "--password-stdin", "bob")
	g = start(t, setup{data: g.data})
	c := dial(t, g.grunt, tbc)
	c.mustLogin(who{"BOB", "x"})
	g.healthy()
}
