package server

import (
	"time"

	"gatepass/codec"
	"gatepass/guard"
)

// Framer is a Session that can carry a file: it makes frames of the data where that
// stands. Its methods are called on the connection's reactor.
type Framer interface {
	// FileFrame is how its frames are built; always the same.
	FileFrame() codec.FileFrame
	// FrameFile makes a frame of the n bytes of a file, 1 … Data, that stand at
	// frame[Head:Head+n] and in the file at offset. frame is Head+Data+Tail long. It
	// returns how long the frame is, which begins at frame[0]. 0 says that nothing of a
	// file can be said to this client any more, as behind a farewell: to go on all the
	// same is a fault of ours, for which the connection is closed.
	FrameFile(frame []byte, offset uint64, n int) (size int)
	// UnframeFile takes the last so many frames back, of which no byte was sent: what is
	// framed or said next takes their place.
	UnframeFile(frames int)
}

// streamState says what a stream waits for.
type streamState uint8

const (
	// streamReading: it stands in line, or its turn is under way.
	streamReading streamState = iota
	// streamFull: for its socket to take more.
	streamFull
	// streamUnacked: for the client to acknowledge more, all that may be sent being sent.
	streamUnacked
	// streamPaused: for a while to pass (refusedPause); then it stands in line.
	streamPaused
)

// stream is a file on its way to a connection. It belongs to the connection's reactor.
//
//	              ┌── taken whole, and the socket takes more ──┐
//	              ▼                                            │
//	begin ─▶ streamReading ─▶ pump, reader ─▶ frame, write ────┼─▶ end
//	         ▲          ▲                                      │
//	writable │          │ acknowledged                         │
//	     streamFull  streamUnacked ◀── socket or window full ──┘
//
// The turn is written to the socket past gnet, which would keep what does not fit:
// there it is dropped, its frames are taken back, and it is read again when there is
// room. Only the rest of a frame that was cut is kept, as long as it is: gnet's buffers
// would double that. It goes before whatever is written to the connection next, and no
// turn is framed while gnet has bytes to write, so that replies and frames never mix.
//
// Invariant: sent stands between two frames. acked ≤ sent ≤ Size, and with a window
// sent-acked ≤ Window. A stream has one turn under way at most, so a turn that comes
// back is of the stream that its connection has.
type stream struct {
	conn     *clientConn
	framer   Framer
	transfer *codec.Transfer
	sent     uint64       // up to where the file is sent, or the rest of its frame kept
	acked    uint64       // up to where it was acknowledged
	tokens   guard.Bucket // of the client

	state streamState
	armed bool // it is known to the pump's epoll
	// most is how many bytes its next turn has at most: what its socket takes at once.
	most int
	// backlog is what gnet had to write when it was looked at last, in bytes.
	backlog int

	// rest is what is left of a frame that was cut. Invariant: while there is any, the
	// stream waits for its socket (streamFull), and gnet has nothing to write.
	rest []byte

	// refused says that its socket, when it had said that it could be written to, took
	// nothing all the same.
	refused bool

	// since says when the client had last taken as much as stallLeast, while the stream is
	// in the list of those that wait (waits); taken is how much it has taken from then on.
	since      time.Duration
	taken      uint64
	waits      bool
	prev, next *stream
}

// begin starts a transfer; false is a fault of ours, for which the connection is to be
// closed. Reactor.
func (r *reactor) begin(c *clientConn, t *codec.Transfer) (ok bool) {
	defer func() {
		if p := recover(); p != nil {
			r.fault(p)
			ok = false
		}
	}()
	framer, can := c.codec.(Framer)
	if !can || c.stream != nil || t.Source == nil || !fits(framer.FileFrame()) {
		r.count.TransfersMisplaced.Add(1)
		r.server.options.Logger.Error("a transfer could not begin", "conn", c.handle, "carries", can, "busy", c.stream != nil)
		return false
	}
	p := r.server.pump
	s := &stream{conn: c, framer: framer, transfer: t, sent: t.Offset, acked: t.Offset}
	s.tokens = guard.NewBucket(p.options.ClientRate, p.now())
	s.most = p.dataOf(framer.FileFrame())
	c.stream, c.carried = s, true
	r.count.Transfers.Add(1)
	r.streams.Add(1)
	if p.running.Add(1) == 1 {
		p.ring() // it slept
	}
	if t.Offset > t.Size {
		return r.finish(s, codec.TransferOffset)
	}
	keepUnsentLow(c.sock.Fd())
	return r.goOnSending(s)
}

// fits tells whether frames are built so that a turn has one at least.
func fits(f codec.FileFrame) bool {
	return f.Data > 0 && f.Head >= 0 && f.Tail >= 0 && f.Size() <= turnSize
}

// goOnSending asks for the next turn, waits for the client, or finishes. False says
// that the connection is given up. Reactor.
func (r *reactor) goOnSending(s *stream) (ok bool) {
	t := s.transfer
	left := t.Size - s.sent
	if t.Window > 0 {
		if s.acked == t.Size {
			return r.finish(s, codec.TransferDone)
		}
		if left = s.mayBeSent(); left == 0 {
			s.state = streamUnacked
			r.linger(s)
			return true
		}
	} else if left == 0 {
		return r.finish(s, codec.TransferDone)
	}
	r.ask(s, min(s.most, int(min(left, turnSize))))
	return true
}

// mayBeSent is how many bytes the window leaves room for, in whole frames, unless it is
// the last of the file or there is no room for one: who acknowledges byte by byte would
// else be sent turns of a byte each.
func (s *stream) mayBeSent() uint64 {
	left, under := s.transfer.Size-s.sent, s.sent-s.acked
	room := min(left, uint64(s.transfer.Window)-under)
	if whole := room - room%uint64(s.framer.FileFrame().Data); room < left && (whole > 0 || under > 0) {
		return whole
	}
	return room
}

// ask asks the pump for a turn, at once or when the client may have more.
func (r *reactor) ask(s *stream, most int) {
	p, q := r.server.pump, s.request(most)
	s.state = streamReading
	if p.options.ClientRate > 0 {
		if wait := s.tokens.Wait(p.now()); wait > 0 {
			r.count.TransferWaits.Add(1)
			p.askLater(q, wait)
			return
		}
	}
	p.ask(q)
}

// request is to read so many bytes for the stream's next turn.
func (s *stream) request(most int) request {
	return request{
		conn: s.conn.handle, source: s.transfer.Source, offset: s.sent,
		frame: s.framer.FileFrame(), most: most,
	}
}

// finish ends a stream whose connection stays, and tells the sink. False says that the
// connection is given up. Reactor.
func (r *reactor) finish(s *stream, ended codec.TransferEnd) (ok bool) {
	c := s.conn
	if s.armed {
		r.server.pump.writable.forget(c.sock.Fd())
	}
	m := codec.Message{Conn: c.handle, Kind: codec.KindTransferEnded, Ended: ended, Number: s.sent}
	r.drop(s)
	r.count.TransfersEnded[ended].Add(1)
	if !r.deliver(&m) {
		c.stalled = true
	}
	return c.reason == codec.ClosePeer
}

// drop forgets a stream. Reactor.
func (r *reactor) drop(s *stream) {
	r.progress(s)
	s.conn.stream = nil
	r.streams.Add(-1)
	r.server.pump.running.Add(-1)
}

// acknowledged takes what the client says that it has. What it says of a file that is
// sent already no longer matters. Reactor.
func (r *reactor) acknowledged(c *clientConn, upTo uint64) error {
	s := c.stream
	switch {
	case s == nil && c.carried:
		return nil
	case s == nil || upTo < s.acked || upTo > s.sent:
		return &codec.Violation{Result: codec.ResultProtocol, Cause: "acknowledges what it was not sent"}
	case upTo == s.acked:
		return nil
	}
	r.took(s, upTo-s.acked)
	s.acked = upTo
	switch s.state {
	case streamUnacked:
		_ = r.goOnSending(s) // decode sees when the connection is given up
	case streamFull, streamPaused:
		r.linger(s)
	}
	return nil
}
