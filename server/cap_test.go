package server

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"gatepass/codec"
)

func TestServer_MaxConns_RefusesTheNextAndRecovers(t *testing.T) {
	r := newRig(t, func(o *Options) { o.MaxConns = 3; o.Reactors = 2 })
	clients, handles := r.openMany(3)
	for range 5 {
		ends(t, r.dial(), nil) // closed at once, and cleanly
	}
	if st := r.settled(); st.RefusedFull != 5 || st.Conns != 3 || st.Accepted != 3 {
		t.Fatalf("refused %d, open %d, accepted %d, want 5, 3 and 3", st.RefusedFull, st.Conns, st.Accepted)
	}
	for i := range clients { // those that are in are served
		r.Queue().Send(handles[i], numbered(uint32(i)))
		r.Queue().Flush()
		says(t, clients[i], numberedBytes(uint32(i)))
	}
	_ = clients[0].Close()
	r.closedFor(handles[0], codec.ClosePeer)
	r.works()
}

// With default options the cap follows from RLIMIT_NOFILE: a flood beyond the
// limit is refused connection by connection, and the server goes on serving.
func TestServer_MaxConns_DefaultSurvivesFloodBeyondFileLimit(t *testing.T) {
	child := startChild(t, "capped")
	defer child.end()
	conns := child.flood(3 * childFiles)
	open := slices.Clone(conns)
	eventually(t, "all connections beyond the cap are refused", func() bool {
		open = slices.DeleteFunc(open, ended)
		return len(open) <= childFiles-fileReserve
	})
	for _, c := range conns {
		_ = c.Close()
	}
	eventually(t, "the server takes connections again", func() bool { return child.echoes() })
}

// ended tells whether the peer has closed c, to which it sends nothing.
func ended(c net.Conn) bool {
	_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := c.Read(make([]byte, 1))
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

// What gnet 2.10.0 does without the cap, and why the cap must hold: when accept
// fails with EMFILE, the loop that called it returns ErrAcceptSocket and takes
// the whole engine down, with ReusePort just as without (acceptor_unix.go,
// accept; poller, Polling); all connections are closed, and Run returns nil, as
// after an orderly end. So Failed must turn any return of Run into an error.
func TestServer_Failed_WhenAcceptRunsOutOfFiles(t *testing.T) {
	child := startChild(t, "uncapped")
	defer child.end()
	child.flood(3 * childFiles)
	if line := child.line(); !strings.HasPrefix(line, "failed: "+ErrStopped.Error()) {
		t.Fatalf("the child said %q", line)
	}
}

const (
	// childRole is the variable that makes the test binary play a server.
	childRole = "GATEPASS_SERVER_TEST_CHILD"
	// childFiles is the child's RLIMIT_NOFILE: 64 connections in all.
	childFiles = fileReserve + 64
)

// runChild serves with few file descriptors: it prints its address, echoes, and
// ends with its standard input, or says why it failed.
func runChild(role string) (code int) {
	limit := syscall.Rlimit{Cur: childFiles, Max: childFiles}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		fmt.Println("rlimit:", err)
		return 1
	}
	var s *Server
	s, err := New(Options{
		Listeners: listening("127.0.0.1:0", "127.0.0.1:0"), Reactors: 2, Logger: slog.New(slog.DiscardHandler),
		Sink: func(int) Sink { return echo{func() *Server { return s }} },
	})
	if err != nil {
		fmt.Println("new:", err)
		return 1
	}
	if role == "uncapped" {
		s.options.MaxConns = codec.MaxSlots
	}
	if err := s.Start(); err != nil {
		fmt.Println("start:", err)
		return 1
	}
	fmt.Println(s.AddrOf(0), s.AddrOf(1))
	stdin := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); close(stdin) }()
	select {
	case err := <-s.Failed():
		fmt.Println("failed:", err)
	case <-stdin:
	}
	if err := s.Close(); role == "capped" && err != nil {
		fmt.Println("close:", err)
	}
	return 0
}

// echo answers every message on its reactor, which stands in for the logic.
type echo struct{ server func() *Server }

func (e echo) Offer(*codec.Message) bool { return true }

func (e echo) Deliver(m *codec.Message) bool {
	if m.Kind == codec.KindWorldList {
		r := e.server().reactors[m.Conn.Reactor()]
		_, _ = r.table.get(m.Conn).sock.Write(frame(m.Hello.Name.String()))
	}
	return true
}

// child is a test binary that serves.
type child struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.Closer
	lines *bufio.Scanner
	addrs []string // of its two listeners
}

func startChild(t *testing.T, role string) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.Command(os.Args[0], "-test.run=^$")}
	c.cmd.Env = append(os.Environ(), childRole+"="+role)
	c.cmd.Stderr = os.Stderr
	in, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.stdin, c.lines = in, bufio.NewScanner(out)
	c.addrs = strings.Fields(c.line())
	return c
}

func (c *child) line() string {
	c.lines.Scan()
	return c.lines.Text()
}

// end lets the child close and checks that it ended as it should.
func (c *child) end() {
	_ = c.stdin.Close()
	for c.lines.Scan() {
		c.t.Errorf("the child said %q", c.lines.Text())
	}
	if err := c.cmd.Wait(); err != nil {
		c.t.Errorf("the child ended with %v", err)
	}
}

// flood connects as often as it can, at most n times, to both listeners; a server that has died
// refuses.
func (c *child) flood(n int) (conns []net.Conn) {
	for i := range n {
		conn, err := net.Dial("tcp", c.addrs[i%2])
		if err != nil {
			break
		}
		c.t.Cleanup(func() { _ = conn.Close() })
		conns = append(conns, conn)
	}
	return conns
}

// echoes tells whether a new connection is served, at both listeners.
func (c *child) echoes() bool { return echoesAt(c.addrs[0]) && echoesAt(c.addrs[1]) }

func echoesAt(addr string) bool {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write(frame("hello")); err != nil {
		return false
	}
	got := make([]byte, len(frame("hello")))
	_, err = io.ReadFull(conn, got)
	return err == nil && string(got) == string(frame("hello"))
}
