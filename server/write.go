package server

import (
	"github.com/panjf2000/gnet/v2"

	"gatepass/codec"
)

// piece is a range of bytes for one connection within a batch. The pieces of a connection are
// linked in order, so that the connection gets them in one write.
type piece struct {
	conn       *clientConn // nil once written
	start, end int         // within reactor.out, unless frame is set
	frame      []byte      // shared with other connections
	next       int32       // index of the connection's next piece, or -1
	last       int32       // at the head only: index of the last piece
	close      bool
	reason     codec.CloseReason
}

// write encodes and writes one batch. It encodes all entries first, so that out no longer
// moves, and then writes each connection's pieces in one write. A batch of more than outBound
// bytes is written in several steps. Reactor.
func (r *reactor) write(batch []Outgoing) {
	r.count.Batches.Add(1)
	r.out, r.pieces = r.out[:0], r.pieces[:0]
	for i := range batch {
		o := &batch[i]
		if o.Targets == nil {
			r.address(o.Conn, o)
			continue
		}
		for _, conn := range o.Targets {
			if conn.Reactor() == r.index {
				r.address(conn, o)
			}
		}
	}
	r.writePieces()
	r.decodeUnread()
}

// writePieces writes the pieces that address has added so far.
func (r *reactor) writePieces() {
	for i := range r.pieces {
		if c := r.pieces[i].conn; c != nil && int(c.batch) == i {
			r.writeConn(c, i)
		}
	}
	clear(r.pieces) // releases frames and connections
	r.out, r.pieces = r.out[:0], r.pieces[:0]
}

// address makes a piece of an entry for one connection. It drops the entry when the handle is
// dead or the connection is about to close: a client that got the answer to its violation gets
// nothing after that.
func (r *reactor) address(conn codec.Conn, o *Outgoing) {
	if len(r.out) >= outBound {
		r.writePieces()
	}
	c := r.table.get(conn)
	if c == nil || c.reason != codec.ClosePeer {
		r.count.DeadHandles.Add(1)
		return
	}
	p := piece{conn: c, frame: o.Frame, next: -1, close: o.Close, reason: o.Reason}
	if o.Reply.Kind != codec.ReplyNone || c.seals && o.Frame != nil {
		p.frame, p.start = nil, len(r.out)
		if !r.encode(c, o) {
			p.close, p.reason = true, codec.CloseFault
		}
		p.end = len(r.out)
	}
	if o.Transfer != nil && !r.begin(c, o.Transfer) {
		p.close, p.reason = true, codec.CloseFault
	}
	at := int32(len(r.pieces))
	p.last = at
	r.pieces = append(r.pieces, p)
	if c.batch < 0 {
		c.batch = at
		return
	}
	head := &r.pieces[c.batch]
	r.pieces[head.last].next = at
	head.last = at
}

// encode appends an entry's bytes to out, encoded for this client. A panic or error of the
// codec closes only this connection.
func (r *reactor) encode(c *clientConn, o *Outgoing) (ok bool) {
	start := len(r.out)
	defer func() {
		if p := recover(); p != nil {
			r.fault(p)
			r.out, ok = r.out[:start], false
		}
	}()
	out, err := c.encode(r.out, o)
	if err != nil {
		r.count.EncodeErrors.Add(1)
		r.server.options.Logger.Error("reply could not be encoded", "conn", c.handle, "reply", o.Reply.Kind, "error", err)
		return false
	}
	r.out = out
	return true
}

// encode appends an entry's bytes to dst. A codec that seals encodes frames too.
func (c *clientConn) encode(dst []byte, o *Outgoing) ([]byte, error) {
	if o.Frame != nil {
		return c.codec.(Sealer).AppendFrame(dst, o.Frame)
	}
	return c.codec.Append(dst, &o.Reply)
}

// writeConn writes a connection's pieces in one call, and closes the connection if a piece
// says so. After a failed write the connection is gone and must not be used.
func (r *reactor) writeConn(c *clientConn, head int) {
	c.batch = -1
	r.iov = r.iov[:0]
	size, closing, reason := 0, false, codec.ClosePeer
	if rest := c.takeRest(); len(rest) > 0 { // before everything else
		r.iov = append(r.iov, rest)
		size += len(rest)
	}
	for i := int32(head); i >= 0 && !closing; i = r.pieces[i].next {
		p := &r.pieces[i]
		b := p.frame
		if b == nil {
			b = r.out[p.start:p.end]
		}
		if len(b) > 0 {
			r.iov = append(r.iov, b)
			size += len(b)
		}
		closing, reason = p.close, p.reason
	}
	if c.sock.OutboundBuffered()+size > r.server.options.SendBound {
		closing, reason = true, codec.CloseSlow
		r.iov = r.iov[:0]
	}
	if len(r.iov) > 0 && !r.writeOut(c, size) {
		return
	}
	if closing {
		c.reason = reason
		drainInput(c.sock)
		_ = r.loop.Close(c.sock) // ignores the error: the socket is closed in any case
		return
	}
	if c.sock.InboundBuffered() > 0 {
		r.unread = append(r.unread, c.handle)
	}
}

// decodeUnread continues with connections that had undecoded bytes when something was written
// to them, because their codec may have waited for that write. It runs after the batch is
// written, because the batch's bytes are in out.
func (r *reactor) decodeUnread() {
	for i := 0; i < len(r.unread); i++ {
		if c := r.table.get(r.unread[i]); c != nil {
			r.goOn(c)
		}
	}
	r.unread = r.unread[:0]
}

// goOn decodes a connection's undecoded bytes. Reactor.
func (r *reactor) goOn(c *clientConn) {
	sock := c.sock // decoding may free c
	if r.guard(c, r.traffic) == gnet.Close {
		_ = r.loop.Close(sock)
	}
}

// writeOut writes iov, with one call for each iovMax pieces. gnet keeps what the socket does
// not take. False means that the connection is gone.
func (r *reactor) writeOut(c *clientConn, size int) (ok bool) {
	ok = true
	for rest := r.iov; ok && len(rest) > 0; {
		some := rest[:min(len(rest), iovMax)]
		rest = rest[len(some):]
		var err error
		if len(some) == 1 {
			_, err = c.sock.Write(some[0])
		} else {
			_, err = c.sock.Writev(some)
		}
		ok = err == nil
		r.count.Writes.Add(1)
	}
	r.count.BytesOut.Add(uint64(size))
	clear(r.iov)
	return ok
}
