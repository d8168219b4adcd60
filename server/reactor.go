package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime/debug"
	"sync/atomic"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"

	"gatepass/codec"
)

// reactor is one event loop with its connections. All fields but the first
// group belong to its goroutine.
type reactor struct {
	// static once the reactor has found its loop
	server *Server
	index  int
	loop   gnet.EventLoop
	sink   Sink
	idler  *idler // nil for none
	epoll  int    // the loop's, or -1

	// shared: guarded by its own lock, or atomic
	mail  mail
	turns turnBox
	count reactorCounts
	// streams is how many files are being sent.
	streams atomic.Int64
	// kicked tells the clock to send the task that takes the turns.
	kicked atomic.Bool
	shown  atomic.Bool // loop is set; before that it has no connection

	table connTable
	// msg is the message that the codec decodes into; it is reused.
	msg codec.Message
	// owed are messages that the sink had no room for, in order: at most one for a stalled
	// connection, one for a transfer that ended and one for a closed connection. Invariant: a
	// stalled connection decodes no more messages until the sink has taken its owed message.
	owed []codec.Message
	// out holds the bytes of the batch that is being written, pieces the order of those bytes,
	// iov the pieces of one connection.
	out    []byte
	pieces []piece
	iov    [][]byte
	// unread are the connections of a batch that have received bytes to decode.
	unread []codec.Conn
	// turn is the turn that is being sent. waiters are the streams that wait for their client.
	turn    turn
	waiters waiters
}

// opened accepts or refuses a new connection. Reactor.
func (r *reactor) opened(sock gnet.Conn) gnet.Action {
	s := r.server
	s.accepts.worked(s.options.Logger)
	switch {
	case s.draining.Load():
		r.count.RefusedDraining.Add(1)
		return gnet.Close
	case s.conns.Add(1) > int64(s.options.MaxConns):
		s.conns.Add(-1)
		r.count.RefusedFull.Add(1)
		s.crowd.refuse(s.options.Logger, s.options.MaxConns)
		return gnet.Close
	}
	if !r.admit(sock) {
		s.conns.Add(-1)
		return gnet.Close
	}
	r.count.Accepted.Add(1)
	return gnet.None
}

// admit gives a connection a slot and offers it to the sink. A panic refuses the connection.
// The sink may have accepted it before the panic, so the sink gets a KindClosed message.
func (r *reactor) admit(sock gnet.Conn) (ok bool) {
	var c *clientConn
	defer func() {
		if p := recover(); p != nil {
			r.fault(p)
			if c != nil {
				r.deliver(&codec.Message{Conn: c.handle, Kind: codec.KindClosed, Reason: codec.CloseFault})
			}
		}
		if !ok && c != nil {
			r.table.close(c)
		}
	}()
	by := r.server.listenerOf(sock)
	c = r.table.open(sock, by.Protocol())
	r.msg = codec.Message{Conn: c.handle, Kind: codec.KindOpened, Protocol: by.Speaks, Peer: peerOf(sock)}
	// Owed messages come first: one of them may close the previous connection of this slot.
	if len(r.owed) > 0 || !r.sink.Offer(&r.msg) {
		r.count.RefusedOverload.Add(1)
		return false
	}
	sock.SetContext(c)
	return true
}

func peerOf(sock gnet.Conn) netip.AddrPort {
	if a, ok := sock.RemoteAddr().(*net.TCPAddr); ok {
		ap := a.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return netip.AddrPort{}
}

// closed tells the sink that a connection is gone and frees its slot. Reactor.
func (r *reactor) closed(c *clientConn) {
	if c.reason == codec.ClosePeer && r.server.stopping.Load() {
		c.reason = codec.CloseLogic // the engine closes the remaining connections when it ends
	}
	if c.stream != nil {
		r.drop(c.stream)
	}
	r.count.Closed[c.reason].Add(1)
	m := codec.Message{Conn: c.handle, Kind: codec.KindClosed, Reason: c.reason}
	r.table.close(c)
	s := r.server
	s.crowd.left(s.options.Logger, s.conns.Add(-1), s.options.MaxConns)
	r.deliver(&m)
}

// deliver gives a message to the sink. If the sink has no room, it keeps the message in owed
// and returns false.
func (r *reactor) deliver(m *codec.Message) bool {
	if len(r.owed) == 0 && r.hand(m) {
		return true
	}
	r.owed = append(r.owed, *m)
	r.count.Stalls.Add(1)
	return false
}

// hand gives a message to the sink and returns whether the sink took it. If the sink panics,
// the message counts as taken and its connection is to be closed. Reactor.
func (r *reactor) hand(m *codec.Message) (taken bool) {
	defer func() {
		if p := recover(); p != nil {
			r.fault(p)
			taken = true
			if c := r.table.get(m.Conn); c != nil {
				c.reason = codec.CloseFault
			}
		}
	}()
	return r.sink.Deliver(m)
}

// traffic decodes the bytes that have arrived for a connection. Reactor.
func (r *reactor) traffic(c *clientConn) gnet.Action {
	if !c.stalled && c.reason == codec.ClosePeer {
		if action := r.decode(c); action != gnet.None {
			return action
		}
	}
	if c.reason != codec.ClosePeer {
		return gnet.Close // the connection is to be closed
	}
	if c.sock.InboundBuffered() > MaxPending {
		c.reason = codec.CloseFlood
		return gnet.Close
	}
	return gnet.None
}

// decode decodes every complete message, until the sink has no room.
func (r *reactor) decode(c *clientConn) gnet.Action {
	buf, err := c.sock.Peek(-1)
	if err != nil || len(buf) == 0 {
		return gnet.None
	}
	off := 0
	for off < len(buf) && !c.stalled && c.reason == codec.ClosePeer {
		n, err := c.codec.Decode(buf[off:], &r.msg)
		if errors.Is(err, codec.ErrShort) {
			break
		}
		if err != nil {
			return r.violated(c, err)
		}
		off += n
		r.msg.Conn = c.handle
		r.count.Messages.Add(1)
		if r.msg.Kind != codec.KindTransferAck {
			c.stalled = !r.deliver(&r.msg)
		} else if err := r.acknowledged(c, r.msg.Number); err != nil {
			return r.violated(c, err)
		}
	}
	if off > 0 {
		r.count.BytesIn.Add(uint64(off))
		_, _ = c.sock.Discard(off) // cannot fail: off bytes were peeked
	}
	return gnet.None
}

// violated answers a protocol violation, where the protocol has an answer, and closes the
// connection.
func (r *reactor) violated(c *clientConn, err error) gnet.Action {
	c.reason = codec.CloseViolation
	v, ok := errors.AsType[*codec.Violation](err)
	if !ok {
		return gnet.Close
	}
	if v.Forged {
		r.count.Forged.Add(1)
	}
	r.out = c.codec.AppendViolation(append(r.out[:0], c.takeRest()...), v)
	if len(r.out) > 0 {
		if _, err := c.sock.Write(r.out); err != nil {
			return gnet.Close // the failed write has closed it; c must not be used
		}
		r.count.BytesOut.Add(uint64(len(r.out)))
		drainInput(c.sock)
	}
	return gnet.Close
}

// drainInput reads and discards what the peer has sent, up to drainReads bytes. Closing a
// socket with unread bytes sends a reset, which may overtake the last reply.
func drainInput(sock gnet.Conn) {
	var trash [4 << 10]byte
	for range drainReads / len(trash) {
		if n, err := unix.Read(sock.Fd(), trash[:]); n <= 0 || err != nil {
			return
		}
	}
}

// schedule sends the task that takes the mail to the reactor. Sender.
func (r *reactor) schedule() {
	_ = r.loop.Execute(context.Background(), takeMail{r}) // fails only once the engine has stopped
}

// takeMail and payOwed are tasks that gnet runs on the reactor.
type takeMail struct{ *reactor }

// Run writes the entries that the sender has left. Reactor.
func (t takeMail) Run(context.Context) error {
	t.idler.poke()
	t.mail.busy.Store(true)
	t.idler.yield()
	t.mail.busy.Store(false)
	t.writeMail()
	return nil
}

// lookAgain makes the reactor yield until the goroutines that it has just woken have run. It
// does nothing without an idler. Without it, Go's scheduler would let the reactor sleep first
// one time in 61. The reactor sends itself the task that takes the mail, once for all events
// of a round, and yields in that task.
func (r *reactor) lookAgain() {
	if r.idler.working() && r.mail.schedule() {
		r.schedule()
	}
}

// writeMail writes the entries that the sender has left, if any.
func (r *reactor) writeMail() {
	if batch := r.mail.take(); len(batch) > 0 {
		r.server.sender.handed.Add(-int64(len(batch)))
		r.write(batch)
	}
}

type payOwed struct{ *reactor }

// Run delivers the owed messages and lets the stalled connections continue. Reactor.
func (t payOwed) Run(context.Context) error {
	r := t.reactor
	paid := 0
	for paid < len(r.owed) && r.hand(&r.owed[paid]) {
		paid++
	}
	owed := r.owed
	r.owed = append(make([]codec.Message, 0, len(owed)-paid), owed[paid:]...)
	for i := range owed[:paid] {
		if c := r.table.get(owed[i].Conn); c != nil && c.stalled {
			c.stalled = false
			r.goOn(c)
		}
	}
	return nil
}

// guard runs a step of a connection. A panic closes only that connection.
func (r *reactor) guard(c *clientConn, step func(*clientConn) gnet.Action) (action gnet.Action) {
	defer func() {
		if p := recover(); p != nil {
			r.fault(p)
			c.reason = codec.CloseFault
			action = gnet.Close
		}
	}()
	return step(c)
}

// fault counts and logs a recovered panic. The stack trace contains code locations, no data.
func (r *reactor) fault(p any) {
	r.count.Panics.Add(1)
	r.server.options.Logger.Error("panic on a reactor; its connection was closed",
		"reactor", r.index, "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
}
