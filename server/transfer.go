package server

import (
	"time"

	"gatepass/codec"
	"gatepass/guard"
)

// Framer is a Session that can carry a file. It makes frames in place, in the buffer that
// holds the file's data. Its methods are called on the connection's reactor.
type Framer interface {
	// FileFrame returns the layout of its frames; it is always the same.
	FileFrame() codec.FileFrame
	// FrameFile makes a frame of n bytes of a file, 1 … Data. The bytes are at
	// frame[Head:Head+n], and in the file at offset. frame is Head+Data+Tail long. FrameFile
	// returns the length of the frame, which begins at frame[0]. It returns 0 if no file may
	// be sent to this client any more, as after a final message. Sending on is then an error
	// of the server, and the connection is closed.
	FrameFile(frame []byte, offset uint64, n int) (size int)
	// UnframeFile takes back the last so many frames, of which no byte was sent. The next
	// frame or reply takes their place.
	UnframeFile(frames int)
}

// streamState says what a stream waits for.
type streamState uint8

const (
	// streamReading: the stream is in the queue, or its turn is being read or sent.
	streamReading streamState = iota
	// streamFull: the stream waits until its socket takes more.
	streamFull
	// streamUnacked: everything that may be sent is sent; the client has to acknowledge more.
	streamUnacked
	// streamPaused: the stream waits for refusedPause and then enters the queue.
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
// A turn is written to the socket directly, not through gnet, which would keep what does not
// fit. The bytes that do not fit are dropped, their frames are taken back, and they are read
// again when there is room. Only the rest of a frame that was cut is kept, and only while it
// is needed; in gnet's buffers it would need twice the memory. That rest is written before
// anything else on the connection. No turn is framed while gnet has bytes to write, so replies
// and frames never mix.
//
// Invariant: sent is always between two frames. acked ≤ sent ≤ Size, and with a window
// sent-acked ≤ Window. A stream has at most one turn in progress, so a turn that comes back
// belongs to the connection's current stream.
type stream struct {
	conn     *clientConn
	framer   Framer
	transfer *codec.Transfer
	sent     uint64       // end of what is sent, or is in rest
	acked    uint64       // end of what the client acknowledged
	tokens   guard.Bucket // the client's rate limit

	state streamState
	armed bool // registered with the pump's epoll
	// most is the size limit of the next turn in bytes: what the socket takes at once.
	most int
	// backlog is how many bytes gnet had to write at the last check.
	backlog int

	// rest is the remainder of a frame that was cut. Invariant: while rest is not empty, the
	// stream waits for its socket (streamFull), and gnet has nothing to write.
	rest []byte

	// refused says that the socket took nothing although it had been reported as writable.
	refused bool

	// since is when the client had last taken stallLeast bytes, while the stream is in the
	// list of waiters (waits). taken is how many bytes the client has taken after that.
	since      time.Duration
	taken      uint64
	waits      bool
	prev, next *stream
}

// begin starts a transfer. False means an error of the server; the caller has to close the
// connection. Reactor.
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
		p.ring() // it slept until now
	}
	if t.Offset > t.Size {
		return r.finish(s, codec.TransferOffset)
	}
	keepUnsentLow(c.sock.Fd())
	return r.goOnSending(s)
}

// fits returns whether a turn has room for at least one such frame.
func fits(f codec.FileFrame) bool {
	return f.Data > 0 && f.Head >= 0 && f.Tail >= 0 && f.Size() <= turnSize
}

// goOnSending asks for the next turn, waits for the client, or finishes. False says that the
// connection is to be closed. Reactor.
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

// mayBeSent returns how many bytes fit into the window. It counts whole frames, except for the
// last part of the file and when the window has no room for one frame. Without that rule, a
// client that acknowledges byte by byte would get turns of one byte.
func (s *stream) mayBeSent() uint64 {
	left, under := s.transfer.Size-s.sent, s.sent-s.acked
	room := min(left, uint64(s.transfer.Window)-under)
	if whole := room - room%uint64(s.framer.FileFrame().Data); room < left && (whole > 0 || under > 0) {
		return whole
	}
	return room
}

// ask asks the pump for a turn, at once or when the client's rate allows it.
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

// request returns a request to read so many bytes for the stream's next turn.
func (s *stream) request(most int) request {
	return request{
		conn: s.conn.handle, source: s.transfer.Source, offset: s.sent,
		frame: s.framer.FileFrame(), most: most,
	}
}

// finish ends a stream whose connection stays open, and tells the sink. False says that the
// connection is to be closed. Reactor.
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

// drop removes a stream from its connection. Reactor.
func (r *reactor) drop(s *stream) {
	r.progress(s)
	s.conn.stream = nil
	r.streams.Add(-1)
	r.server.pump.running.Add(-1)
}

// acknowledged handles an acknowledgement of the client. It ignores one for a file that is
// already sent. It returns a *codec.Violation for a position that the server did not send.
// Reactor.
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
		_ = r.goOnSending(s) // decode checks whether the connection is to be closed
	case streamFull, streamPaused:
		r.linger(s)
	}
	return nil
}
