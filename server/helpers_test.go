package server

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/panjf2000/gnet/v2"
	"go.uber.org/goleak"

	"gatepass/codec"
)

// TestMain also runs the child processes of cap_test.go. gnet makes a pool of worker
// goroutines when it is imported (ants). Two of the pool's goroutines live as long as the
// process.
func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role == drainRole {
		os.Exit(runDrain())
	} else if role != "" {
		os.Exit(runChild(role))
	}
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"),
	)
}

// patience is the limit of every wait in these tests, far above what any wait needs.
const patience = 20 * time.Second

// eventually waits for a condition.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(200 * time.Microsecond) {
		if time.Now().After(end) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

// frames is a protocol for tests: a length byte and that many bytes. A reply is
// a frame of its AccountFlags, big-endian.
type frames struct {
	// onFrame is called with each complete frame first; its error is returned by Decode.
	onFrame func(frame []byte) error
	// onReply is called with each reply first; its error is returned by Append.
	onReply func(r *codec.Reply) error
}

func (f *frames) Decode(b []byte, m *codec.Message) (int, error) {
	if len(b) == 0 || len(b) < 1+int(b[0]) {
		return 0, codec.ErrShort
	}
	frame := b[1 : 1+int(b[0])]
	if f.onFrame != nil {
		if err := f.onFrame(frame); err != nil {
			return 0, err
		}
	}
	m.Kind, m.Hello.Name = codec.KindWorldList, codec.Name{}
	copy(m.Hello.Name[:], frame)
	return 1 + len(frame), nil
}

func (f *frames) Append(dst []byte, r *codec.Reply) ([]byte, error) {
	if f.onReply != nil {
		if err := f.onReply(r); err != nil {
			return dst, err
		}
	}
	return binary.BigEndian.AppendUint32(append(dst, 4), r.AccountFlags), nil
}

func (f *frames) AppendViolation(dst []byte, v *codec.Violation) []byte {
	if v.Result == codec.ResultOK {
		return dst
	}
	return append(dst, "violation"...)
}

func speakFrames() Session { return &frames{} }

// listening returns listeners with the protocol frames.
func listening(addrs ...string) (ls []Listener) {
	for _, addr := range addrs {
		ls = append(ls, Listener{Addr: addr, Protocol: speakFrames})
	}
	return ls
}

func frame(text string) []byte { return append([]byte{byte(len(text))}, text...) }

func numbered(n uint32) *codec.Reply {
	return &codec.Reply{Kind: codec.ReplyLogonProof, AccountFlags: n}
}

func numberedBytes(n uint32) []byte { return binary.BigEndian.AppendUint32([]byte{4}, n) }

// inbox is a sink that keeps its messages.
type inbox struct {
	mu     sync.Mutex
	got    []codec.Message
	room   int  // messages it still takes; negative means all
	closed bool // for new connections
	misses int  // refused deliveries
	onTake func(m *codec.Message)
}

func (in *inbox) Offer(m *codec.Message) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.onTake != nil {
		in.onTake(m)
	}
	if in.closed {
		return false
	}
	in.got = append(in.got, *m)
	return true
}

func (in *inbox) Deliver(m *codec.Message) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.onTake != nil {
		in.onTake(m)
	}
	if in.room == 0 {
		in.misses++
		return false
	}
	in.room--
	in.got = append(in.got, *m)
	return true
}

func (in *inbox) setRoom(n int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.room = n
}

// watch makes f see every message first. f runs on the reactor and may panic.
func (in *inbox) watch(f func(m *codec.Message)) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.onTake = f
}

// of returns the messages of a kind and, unless conn is 0, of that connection.
func (in *inbox) of(kind codec.Kind, conn codec.Conn) (found []codec.Message) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for i := range in.got {
		if m := &in.got[i]; m.Kind == kind && (conn == 0 || m.Conn == conn) {
			found = append(found, *m)
		}
	}
	return found
}

// rig is a server with its sinks. The test's goroutine acts as the logic.
type rig struct {
	*Server
	t     testing.TB
	sinks []*inbox
}

// newRig starts a server; change may alter its options.
func newRig(t testing.TB, change func(o *Options)) *rig {
	t.Helper()
	r := &rig{t: t}
	o := Options{
		Listeners: listening("127.0.0.1:0"),
		Reactors:  1,
		Logger:    slog.New(slog.DiscardHandler),
		Sink: func(int) Sink {
			in := &inbox{room: -1}
			r.sinks = append(r.sinks, in)
			return in
		},
	}
	if change != nil {
		change(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	r.Server = s
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil && len(s.failed) == 0 {
			t.Errorf("close: %v", err)
		}
	})
	return r
}

// dial connects without waiting for the server.
func (r *rig) dial() *net.TCPConn { return r.dialAt(r.Addr().String()) }

func (r *rig) dialAt(addr string) *net.TCPConn {
	r.t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		r.t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// open connects and waits until the server has accepted the connection.
func (r *rig) open() (client *net.TCPConn, handle codec.Conn) {
	r.t.Helper()
	return r.openAt(r.Addr().String())
}

func (r *rig) openAt(addr string) (client *net.TCPConn, handle codec.Conn) {
	r.t.Helper()
	client = r.dialAt(addr)
	peer := client.LocalAddr().(*net.TCPAddr).AddrPort()
	eventually(r.t, "the server has the connection", func() bool {
		for _, in := range r.sinks {
			for _, m := range in.of(codec.KindOpened, 0) {
				if m.Peer == peer {
					handle = m.Conn
				}
			}
		}
		return handle != 0
	})
	return client, handle
}

// openMany connects n clients and waits until the server has accepted them all.
func (r *rig) openMany(n int) (clients []*net.TCPConn, handles []codec.Conn) {
	r.t.Helper()
	for range n {
		clients = append(clients, r.dial())
	}
	byPeer := make(map[string]codec.Conn, n)
	eventually(r.t, "the server has all connections", func() bool {
		for _, in := range r.sinks {
			for _, m := range in.of(codec.KindOpened, 0) {
				byPeer[m.Peer.String()] = m.Conn
			}
		}
		return len(byPeer) == n
	})
	for _, c := range clients {
		handles = append(handles, byPeer[c.LocalAddr().String()])
	}
	return clients, handles
}

// onReactor runs f on a reactor and waits for it.
func (r *rig) onReactor(index int, f func(*reactor)) {
	r.t.Helper()
	done := make(chan struct{})
	re := r.reactors[index]
	err := re.loop.Execute(context.Background(), gnet.RunnableFunc(func(context.Context) error {
		defer close(done)
		f(re)
		return nil
	}))
	if err != nil {
		r.t.Fatal(err)
	}
	select {
	case <-done:
	case <-time.After(patience):
		r.t.Fatal("the reactor never ran the task")
	}
}

// settled returns Stats once every reactor has finished its current work, because reactors
// count after they act.
func (r *rig) settled() Stats {
	r.t.Helper()
	for i, re := range r.reactors {
		if re.shown.Load() {
			r.onReactor(i, func(*reactor) {})
		}
	}
	return r.Stats()
}

// pause stops a reactor until resume is called.
func (r *rig) pause(index int) (resume func()) {
	r.t.Helper()
	held, release := make(chan struct{}), make(chan struct{})
	err := r.reactors[index].loop.Execute(context.Background(), gnet.RunnableFunc(func(context.Context) error {
		close(held)
		<-release
		return nil
	}))
	if err != nil {
		r.t.Fatal(err)
	}
	<-held
	return sync.OnceFunc(func() { close(release) })
}

// closedFor waits for the end of a connection and checks its reason.
func (r *rig) closedFor(conn codec.Conn, want codec.CloseReason) {
	r.t.Helper()
	in := r.sinks[conn.Reactor()]
	eventually(r.t, "the connection's end was delivered", func() bool { return len(in.of(codec.KindClosed, conn)) > 0 })
	if got := in.of(codec.KindClosed, conn); len(got) != 1 || got[0].Reason != want {
		r.t.Fatalf("closed %d times, first for %v, want once for %v", len(got), got[0].Reason, want)
	}
}

// says checks that a client reads exactly these bytes next.
func says(t testing.TB, c net.Conn, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	n, err := io.ReadFull(c, got)
	same(t, got[:n], want, err)
}

// ends checks that a client reads exactly these bytes and then a clean end.
func ends(t testing.TB, c net.Conn, want []byte) {
	t.Helper()
	got, err := io.ReadAll(c)
	same(t, got, want, err)
}

// same reports where the read bytes differ, and does not print all of them.
func same(t testing.TB, got, want []byte, err error) {
	t.Helper()
	if err == nil && bytes.Equal(got, want) {
		return
	}
	at := 0
	for at < len(got) && at < len(want) && got[at] == want[at] {
		at++
	}
	t.Fatalf("read %d bytes (%v), want %d; from byte %d on %.40q, want %.40q", len(got), err, len(want), at, got[at:], want[at:])
}

// gone checks that a client was disconnected, with or without a reset.
func gone(t testing.TB, c net.Conn) {
	t.Helper()
	_, err := io.Copy(io.Discard, c)
	if e := net.Error(nil); errors.As(err, &e) && e.Timeout() {
		t.Fatal("the connection is still open")
	}
}

func write(t testing.TB, c net.Conn, b []byte) {
	t.Helper()
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
}

// texts returns the frames of the messages.
func texts(ms []codec.Message) (s []string) {
	for _, m := range ms {
		s = append(s, m.Hello.Name.String())
	}
	return s
}

// hears waits until a connection's decoded frames are exactly these.
func (r *rig) hears(conn codec.Conn, want ...string) {
	r.t.Helper()
	in := r.sinks[conn.Reactor()]
	eventually(r.t, "all frames arrived", func() bool { return len(in.of(codec.KindWorldList, conn)) >= len(want) })
	if got := texts(in.of(codec.KindWorldList, conn)); !slices.Equal(got, want) {
		r.t.Fatalf("got %q, want %q", got, want)
	}
}

// works checks that a new client is served in both directions.
func (r *rig) works() {
	r.t.Helper()
	c, h := r.open()
	write(r.t, c, frame("still there?"))
	r.hears(h, "still there?")
	r.Queue().Send(h, numbered(7))
	r.Queue().Flush()
	says(r.t, c, numberedBytes(7))
	_ = c.Close()
	r.closedFor(h, codec.ClosePeer)
}
