package e2e

import (
	"bytes"
	"crypto/md5"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	native "gatepass/client"
)

// Clients of the existing protocol that are let in only if somebody says so: of the
// first layout, of the one of 1.12, and of the last.
var (
	aged        = edition{"1.10.2", 5302, [3]byte{1, 10, 2}, 2, 2, 118, 26, 2, 74, 2}
	agedVanilla = edition{"1.11.2", 5464, [3]byte{1, 11, 2}, 3, 2, 119, 26, 2, 75, 2}
	agedTBC     = edition{"2.4.0", 8089, [3]byte{2, 4, 0}, 8, 8, 119, 32, 4, 75, 4}
)

// The builds of native clients in these tests. Each patch leads to the next one.
const oldBuild, middleBuild, newBuild = 41, 42, 43

// Ways of a patch, as `gatepass patch add` is told them.
const (
	wayVanilla = "--from 5302 --to 5875"
	wayTBC     = "--from 8089 --to 8606"
	wayNative  = "--protocol native --from 41 --to 42"
	wayOn      = "--protocol native --from 42 --to 43"
)

// patchFile is a file on the operator's disk, and what was in it first.
type patchFile struct {
	path    string
	content []byte
}

// newPatchFile makes one of so many bytes of noise.
func newPatchFile(t testing.TB, size int) *patchFile {
	t.Helper()
	f := &patchFile{path: filepath.Join(t.TempDir(), fmt.Sprintf("patch-%d.bin", size)), content: make([]byte, size)}
	rand.Read(f.content)
	must(t, os.WriteFile(f.path, f.content, 0o600))
	return f
}

func (f *patchFile) name() string { return filepath.Base(f.path) }

// offer is what a client of the existing protocol is told: its proof was right and it
// must update (7.2), XFER_INITIATE (15).
func (f *patchFile) offer() []byte {
	b := append([]byte{0x01, 0x0a, 0x30, 5}, "Patch"...)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(f.content)))
	sum := md5.Sum(f.content)
	return append(b, sum[:]...)
}

// patch runs `gatepass patch` on a server's folder and must succeed.
func patch(t testing.TB, data string, args ...string) string {
	t.Helper()
	code, out := runs(t, append([]string{"patch", args[0], "--data", data}, args[1:]...)...)
	if code != 0 {
		t.Fatalf("patch %v: exit code %d\n%s", args, code, out)
	}
	return out
}

// addPatch adds a file for a way.
func addPatch(t testing.TB, data, way string, f *patchFile) {
	t.Helper()
	patch(t, data, append([]string{"add", f.path}, strings.Fields(way)...)...)
}

// startPatched starts a server that has the file for each way.
func startPatched(t testing.TB, s setup, f *patchFile, ways ...string) *gatepass {
	t.Helper()
	s.data = filepath.Join(t.TempDir(), "data")
	for _, way := range ways {
		addPatch(t, s.data, way, f)
	}
	return start(t, s)
}

// untilAnswered waits until clients are given that answer to their challenge.
func (g *gatepass) untilAnswered(e edition, code byte) {
	g.t.Helper()
	eventually(g.t, fmt.Sprintf("%s is answered %d", e.name, code), func() bool {
		c := dial(g.t, g.grunt, e)
		defer c.close()
		c.send(c.hello(0x00, demo.name))
		return bytes.Equal(c.receive(3), []byte{0, 0, code})
	})
}

// outcome is how often logins have come to that.
func (g *gatepass) outcome(name string) float64 {
	g.t.Helper()
	return g.metric("gatepass_logins_total", "outcome", name)
}

// untilOutcome waits until they have so often.
func (g *gatepass) untilOutcome(name string, n float64) {
	g.t.Helper()
	eventually(g.t, fmt.Sprintf("%v × %s", n, name), func() bool { return g.outcome(name) == n })
}

// untilSaid waits for a line of the log.
func (g *gatepass) untilSaid(text string) {
	g.t.Helper()
	eventually(g.t, fmt.Sprintf("%q is said", text), func() bool { return strings.Contains(g.stderr.String(), text) })
}

// untilComplained waits for an error in the log that names something.
func (g *gatepass) untilComplained(of string) {
	g.t.Helper()
	eventually(g.t, "an error names "+of, func() bool {
		return strings.Contains(grep(g.stderr.String(), of), "level=ERROR")
	})
}

// untilIdle waits until nobody is connected, and nobody is counted as being updated.
func (g *gatepass) untilIdle() {
	g.t.Helper()
	for _, name := range []string{"gatepass_connections", "gatepass_updates_sending", "gatepass_updates_waiting", "gatepass_transfers"} {
		eventually(g.t, name+" is 0", func() bool { return g.metric(name) == 0 })
	}
	if n := g.metric("gatepass_transfers_misplaced_total"); n != 0 {
		g.t.Errorf("%v files were to be sent where none could be", n)
	}
}

// The answers to an offer (15).
var acceptFile, cancelFile = []byte{0x32}, []byte{0x34}

func resumeFile(offset uint64) []byte { return binary.LittleEndian.AppendUint64([]byte{0x33}, offset) }

// offered proves the password and takes the offer, which is all that comes.
func (c *client) offered(w who, f *patchFile) {
	c.t.Helper()
	c.send(c.challenged(w).proof)
	c.expect(f.offer())
}

// frames takes XFER_DATA (15) until that many bytes of the file have come.
func (c *client) frames(n int) (data []byte) {
	c.t.Helper()
	for len(data) < n {
		head := c.receive(3)
		size := int(binary.LittleEndian.Uint16(head[1:]))
		if head[0] != 0x31 || size == 0 || size > 4096 {
			c.t.Fatalf("%s: a frame of a file begins with % x behind %d bytes", c.name, head, len(data))
		}
		data = append(data, c.receive(size)...)
	}
	return data
}

// mustGet takes the rest of the file.
func (c *client) mustGet(rest []byte) {
	c.t.Helper()
	if got := c.frames(len(rest)); md5.Sum(got) != md5.Sum(rest) {
		c.t.Fatalf("%s: %d bytes came, which are not those of the file", c.name, len(got))
	}
}

// expectOpen wants nothing: no byte and no end.
func (c *client) expectOpen() {
	c.t.Helper()
	c.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := c.conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatalf("%s: %d bytes came, or the end: %v", c.name, n, err)
	}
}

// dialNarrow is dial for a client that has little room for what it does not read.
func dialNarrow(t testing.TB, addr string, e edition) *client {
	t.Helper()
	d := net.Dialer{Timeout: patience, Control: func(_, _ string, raw syscall.RawConn) (err error) {
		controlled := raw.Control(func(fd uintptr) {
			err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 16<<10)
		})
		return errors.Join(controlled, err)
	}}
	conn, err := d.Dial("tcp", addr)
	must(t, err)
	c := &client{t: t, edition: e, conn: conn}
	t.Cleanup(c.close)
	return c
}

// agedOptions are of a native client that takes updates.
func agedOptions(build uint16) native.Options {
	o := guestOptions()
	o.Build, o.TakesUpdates = build, true
	return o
}

// offeredTo signs in to a server and wants an offer.
func offeredTo(t testing.TB, addr, account string, build uint16) *native.UpdateOffer {
	t.Helper()
	s, err := signIn(t, addr, native.Credentials{Account: account, Password: "secret"}, agedOptions(build))
	var offer *native.UpdateOffer
	if !errors.As(err, &offer) {
		t.Fatalf("%s is not offered an update: %v, %v", account, s, err)
	}
	t.Cleanup(func() { _ = offer.Close() }) // it may have ended
	return offer
}

// check wants the file at a path, whole.
func (f *patchFile) check(t testing.TB, path string) {
	t.Helper()
	got, err := os.ReadFile(path)
	must(t, err)
	if !bytes.Equal(got, f.content) {
		t.Fatalf("%s: %d bytes, which are not the file", path, len(got))
	}
}
