package e2e

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// fewFiles is the limit of open files of a server in these tests: it leaves room for
// some 70 clients.
const fewFiles = 1250

// limitFiles sets the limit of open files of a running server.
func limitFiles(t *testing.T, g *gatepass, n uint64) {
	t.Helper()
	if err := unix.Prlimit(g.cmd.Process.Pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: fewFiles}, nil); err != nil {
		t.Fatal(err)
	}
}

// openFiles is how many files a server has open.
func openFiles(t *testing.T, g *gatepass) int {
	t.Helper()
	names, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", g.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

// firstFree is the lowest number of a file that a server has not open: with it as the
// limit, no further file can be opened.
func firstFree(t *testing.T, g *gatepass) (n uint64) {
	t.Helper()
	for ; ; n++ {
		if _, err := os.Lstat(fmt.Sprintf("/proc/%d/fd/%d", g.cmd.Process.Pid, n)); err != nil {
			return n
		}
	}
}

// More connections to a listener that is not the players' than the server may have
// files: they neither end it nor take the place of players or probes.
func TestFiles_Flood(t *testing.T) {
	g := start(t, setup{files: fewFiles})
	for _, listener := range []struct{ name, network, addr, say string }{
		{"admin", "tcp", strings.TrimPrefix(g.admin, "http://"), "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"},
		{"admin half", "tcp", strings.TrimPrefix(g.admin, "http://"), "GET /healthz HT"},
		{"bus", "tcp", strings.TrimPrefix(g.said["bus"], "nats://"), "PING\r\n"},
		{"control", "unix", filepath.Join(g.data, "gatepass.sock"), "POST /v1/acc"},
	} {
		for i := range 2 * fewFiles {
			c, err := net.Dial(listener.network, listener.addr)
			if err != nil {
				t.Fatalf("%s: connection %d: %v", listener.name, i, err)
			}
			t.Cleanup(func() { _ = c.Close() })
			_, _ = io.WriteString(c, listener.say) // it may be closed already
		}
		g.mustGet("/metrics")
		eventually(t, listener.name+" leaves /healthz well", func() bool { return g.mustGet("/healthz") == "ok\n" })
		c := dial(t, g.grunt, vanilla)
		c.mustLogin(demo)
		c.close()
		eventually(t, listener.name+" takes no more than its share of the files", func() bool { return openFiles(t, g) < fewFiles/2 })
	}
	g.healthy()
}

// When the process is out of files, whoever took them, sessions go on, operators are
// told, and clients that came meanwhile are served once there are files again.
func TestFiles_OutOfFiles(t *testing.T) {
	g := start(t, setup{files: fewFiles})
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("it logged:\n%.4000s", g.stderr)
		}
	})
	held := dial(t, g.grunt, vanilla)
	held.mustLogin(demo)
	limitFiles(t, g, firstFree(t, g))
	late, err := net.Dial("tcp", g.grunt)
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	eventually(t, "the server says so", func() bool { return strings.Contains(g.stderr.String(), "connections cannot be accepted") })
	for range 5 {
		held.worlds()
	}
	if status, body, err := g.get("/readyz"); err != nil || status != 503 || !strings.Contains(body, "cannot be accepted") {
		t.Errorf("/readyz: %d %q %v", status, body, err)
	}
	if status, body, err := g.get("/healthz"); err != nil || status != 200 || !strings.HasPrefix(body, "degraded: ") {
		t.Errorf("/healthz: %d %q %v", status, body, err)
	}
	limitFiles(t, g, fewFiles)
	held.worlds()
	again := &client{t: t, edition: vanilla, conn: late}
	again.mustLogin(demo)
	again.close()
	eventually(t, "it is ready", func() bool { status, _, _ := g.get("/readyz"); return status == 200 })
	g.healthy()
	if n := strings.Count(g.stderr.String(), "connections cannot be accepted"); n != 1 {
		t.Errorf("said so %d times, want once", n)
	}
}
