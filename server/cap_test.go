package server

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gatepass/codec"
)

func TestServer_MaxConns_RefusesTheNextAndRecovers(t *testing.T) {
	r := newRig(t, func(o *Options) { o.MaxConns = 3; o.Reactors = 2 })
	clients, handles := r.openMany(3)
	for range 5 {
		ends(t, r.dial(), nil) // closed at once, without a reset
	}
	if st := r.settled(); st.RefusedFull != 5 || st.Conns != 3 || st.Accepted != 3 {
		t.Fatalf("refused %d, open %d, accepted %d, want 5, 3 and 3", st.RefusedFull, st.Conns, st.Accepted)
	}
	for i := range clients { // open connections are served
		r.Queue().Send(handles[i], numbered(uint32(i)))
		r.Queue().Flush()
		says(t, clients[i], numberedBytes(uint32(i)))
	}
	_ = clients[0].Close()
	r.closedFor(handles[0], codec.ClosePeer)
	r.works()
}

// With default options the cap follows from RLIMIT_NOFILE. Connections beyond the limit are
// refused one by one, and the server continues to serve.
func TestServer_MaxConns_DefaultSurvivesFloodBeyondFileLimit(t *testing.T) {
	child := startChild(t, "capped")
	defer child.end()
	conns := child.flood(3 * childFiles)
	open := slices.Clone(conns)
	eventually(t, "all connections beyond the cap are refused", func() bool {
		open = slices.DeleteFunc(open, ended)
		return len(open) <= childFiles-FileReserve
	})
	for _, c := range conns {
		_ = c.Close()
	}
	eventually(t, "the server takes connections again", func() bool { return child.echoes() })
	eventually(t, "the server says that it has room", func() bool { return child.says("room again") })
	if full, over := child.count("the server is full"), child.count("room again"); full != 1 || over != 1 {
		t.Errorf("said %d times that it is full and %d times that this is over, want once each", full, over)
	}
}

// ended returns whether the peer has closed c, to which it sends nothing.
func ended(c net.Conn) bool {
	_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := c.Read(make([]byte, 1))
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

// When accept fails with EMFILE, for whatever reason, unmodified gnet 2.10.0 ends the
// whole engine. Here the sessions continue, and the waiting clients are served once there are
// descriptors again.
func TestServer_Accept_SurvivesRunningOutOfFiles(t *testing.T) {
	child := startChild(t, "uncapped")
	defer child.end()
	first, err := net.Dial("tcp", child.addrs[0])
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	echoed(t, first)
	conns := child.flood(3 * childFiles)
	if len(conns) < 3*childFiles {
		t.Fatalf("only %d of %d connections were taken by the kernel: the listener has gone", len(conns), 3*childFiles)
	}
	for range 20 { // while accept fails
		echoed(t, first)
	}
	waited := conns[len(conns)-childFiles/2:]
	for _, c := range conns[:len(conns)-len(waited)] {
		_ = c.Close()
	}
	for _, c := range waited {
		echoed(t, c)
	}
	eventually(t, "the child says that it is over", func() bool {
		return child.echoes() && child.says("connections are accepted again")
	})
	if n := child.count("connections cannot be accepted"); n != 1 {
		t.Errorf("said %d times that connections cannot be accepted, want once", n)
	}
}

// echoed sends a message and waits for the answer.
func echoed(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetDeadline(time.Now().Add(patience))
	want := frame("hello")
	if _, err := c.Write(want); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != string(want) {
		t.Fatalf("got %q, %v", got, err)
	}
}

const (
	// childRole is the environment variable that makes the test binary run as a server.
	childRole = "GATEPASS_SERVER_TEST_CHILD"
	// childFiles is the child's RLIMIT_NOFILE: 64 connections in all.
	childFiles = FileReserve + 64
)

// runChild serves with few file descriptors. It prints its address, echoes messages, and ends
// with its standard input, or prints why it failed.
func runChild(role string) (code int) {
	limit := syscall.Rlimit{Cur: childFiles, Max: childFiles}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		fmt.Println("rlimit:", err)
		return 1
	}
	var s *Server
	s, err := New(Options{
		Listeners: listening("127.0.0.1:0", "127.0.0.1:0"), Reactors: 2, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
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

// echo answers every message on its reactor, in place of the logic.
type echo struct{ server func() *Server }

func (e echo) Offer(*codec.Message) bool { return true }

func (e echo) Deliver(m *codec.Message) bool {
	if m.Kind == codec.KindWorldList {
		r := e.server().reactors[m.Conn.Reactor()]
		_, _ = r.table.get(m.Conn).sock.Write(frame(m.Hello.Name.String()))
	}
	return true
}

// child is a test binary that runs as a server.
type child struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.Closer
	lines *bufio.Scanner
	log   lockedBuffer
	addrs []string // of its two listeners
}

func startChild(t *testing.T, role string) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.Command(os.Args[0], "-test.run=^$")}
	c.cmd.Env = append(os.Environ(), childRole+"="+role)
	c.cmd.Stderr = &c.log
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

// count returns how many times the words are in the child's log; says returns whether they
// are in it.
func (c *child) count(words string) int { return strings.Count(c.log.String(), words) }

func (c *child) says(words string) bool { return c.count(words) > 0 }

func (c *child) line() string {
	c.lines.Scan()
	return c.lines.Text()
}

// end makes the child close and checks that it ended correctly.
func (c *child) end() {
	_ = c.stdin.Close()
	for c.lines.Scan() {
		c.t.Errorf("the child said %q", c.lines.Text())
	}
	if err := c.cmd.Wait(); err != nil {
		c.t.Errorf("the child ended with %v", err)
	}
	if c.t.Failed() {
		c.t.Logf("the child logged:\n%.4000s", c.log.String())
	}
}

// lockedBuffer can be read while a process writes to it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// flood connects to both listeners as often as it can, at most n times. A server that has died
// refuses the connection.
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

// echoes returns whether a new connection is served, at both listeners.
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
