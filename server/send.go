package server

import (
	"bytes"
	"context"
	"errors"

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"

	"gatepass/codec"
)

// takeTurns is the task that takes the pump's turns for a reactor.
type takeTurns struct{ *reactor }

// Run sends one turn, and then more as long as the loop has nothing else to do. gnet runs
// tasks until its queue is empty, so the reactor cannot send itself a task for the rest. The
// clock sends that task, and the loop handles its events meanwhile. Reactor.
func (t takeTurns) Run(context.Context) error {
	r := t.reactor
	r.idler.poke()
	for n := 1; ; n++ {
		r.mail.busy.Store(true)
		r.takeTurn()
		if r.mail.done() {
			r.writeMail()
		}
		if !r.turns.more() {
			return nil
		}
		if n == turnsATask || r.othersWait() {
			r.kicked.Store(true)
			r.server.pump.ring()
			return nil
		}
	}
}

// othersWait returns whether the loop has anything to do besides turns.
func (r *reactor) othersWait() bool { return r.epoll < 0 || napUntilReadable(r.epoll, -1, 0) }

// takeTurn handles what the pump has left, but one turn at most.
func (r *reactor) takeTurn() {
	t, writable, sweep := r.turns.take()
	for _, conn := range writable {
		r.resume(conn)
	}
	if t.buffer != nil {
		r.turn = t
		r.serve(&r.turn)
		r.turn = turn{}
	}
	if sweep {
		r.sweep()
	}
}

// serve sends a turn that was read, if its connection still exists. Reactor.
func (r *reactor) serve(t *turn) {
	if c := r.table.get(t.conn); c != nil && c.stream != nil {
		sock := c.sock // sending may free c
		if r.guard(c, r.sendTurn) == gnet.Close {
			_ = r.loop.Close(sock)
		}
	}
	r.server.pump.giveBack(t, t.most-t.done)
}

// sendTurn writes as much of a turn as the socket takes. Reactor, guarded.
func (r *reactor) sendTurn(c *clientConn) gnet.Action {
	s, t := c.stream, &r.turn
	if t.err != nil {
		return closeUnless(r.finish(s, endFor(t.err)))
	}
	if c.sock.OutboundBuffered() > 0 {
		return closeUnless(r.awaitSocket(s))
	}
	frames := t.build(s.framer)
	taken, err := writeNow(c.sock.Fd(), frames)
	if err != nil {
		return gnet.Close // the client is gone
	}
	begun, end := t.account(taken)
	if rest := len(t.buffer.ends) - begun; rest > 0 {
		s.framer.UnframeFile(rest)
	}
	t.done = min(begun*t.frame.Data, t.most)
	s.sent += uint64(t.done)
	r.countTurn(t, len(frames) > taken, end)
	if end > taken {
		pressed, err := press(c.sock.Fd(), frames[taken:end])
		if err != nil {
			return gnet.Close
		}
		if rest := frames[taken+pressed : end]; len(rest) > 0 {
			s.rest = bytes.Clone(rest)
		}
	}
	return closeUnless(r.turnSent(s, t, taken == len(frames)))
}

func closeUnless(ok bool) gnet.Action {
	if ok {
		return gnet.None
	}
	return gnet.Close
}

func endFor(err error) codec.TransferEnd {
	if errors.Is(err, codec.ErrTransferChanged) {
		return codec.TransferChanged
	}
	return codec.TransferFault
}

func (r *reactor) countTurn(t *turn, cut bool, size int) {
	r.count.TransferTurns.Add(1)
	r.count.Writes.Add(1)
	r.count.TransferBytes.Add(uint64(t.done))
	r.count.BytesOut.Add(uint64(size))
	if cut {
		r.count.TransferCuts.Add(1)
		r.count.TransferReadAgain.Add(uint64(t.most - t.done))
	}
}

// turnSent continues a stream after a turn. What the socket does not take was read and framed
// for nothing. Therefore the size of the next turn follows what the socket takes at once, and
// the next turn is read only when the socket is writable. False says that the caller has to
// close the connection.
func (r *reactor) turnSent(s *stream, t *turn, whole bool) (ok bool) {
	s.tokens.Take(t.done)
	r.took(s, uint64(t.done))
	if len(s.rest) > 0 {
		s.most = min(t.done+t.frame.Data, r.server.pump.dataOf(t.frame))
		return r.awaitSocket(s)
	}
	if s.sent == s.transfer.Size {
		return r.goOnSending(s)
	}
	most := r.server.pump.dataOf(t.frame)
	switch {
	case whole && canWrite(s.conn.sock.Fd()):
		s.most = min(2*s.most, most)
		return r.goOnSending(s)
	case whole: // the TCP window may have limited it
	case t.done > 0:
		s.most = min(t.done+t.frame.Data, most)
	case s.refused:
		s.state = streamPaused
		r.linger(s)
		r.server.pump.askLater(s.request(t.most), refusedPause)
		return true
	default:
		s.refused = true
	}
	return r.awaitSocket(s)
}

// canWrite returns whether a socket takes bytes now.
func canWrite(fd int) bool {
	set := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	n, err := unix.Poll(set[:], 0)
	return n > 0 || err != nil // on an error, the write reports the cause
}

// sendRest writes the rest of a frame that was cut. done says that all of it was written. An
// error says that the client is gone.
func (r *reactor) sendRest(s *stream) (done bool, err error) {
	taken, err := writeNow(s.conn.sock.Fd(), s.rest)
	if err != nil {
		return false, err
	}
	r.count.Writes.Add(1)
	s.rest = s.rest[taken:]
	r.took(s, uint64(taken))
	if done = len(s.rest) == 0; done {
		s.rest = nil
	}
	return done, nil
}

// takeRest returns the bytes that have to be written to a connection before anything else, and
// removes them from its stream.
func (c *clientConn) takeRest() (rest []byte) {
	if c.stream != nil {
		rest, c.stream.rest = c.stream.rest, nil
	}
	return rest
}

// writeNow writes as many bytes as the socket takes without waiting, possibly 0.
func writeNow(fd int, b []byte) (taken int, err error) {
	for {
		taken, err = unix.Write(fd, b)
		switch err {
		case nil:
			return taken, nil
		case unix.EAGAIN:
			return 0, nil
		case unix.EINTR:
		default:
			return 0, err
		}
	}
}
