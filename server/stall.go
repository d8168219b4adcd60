package server

import "gatepass/codec"

// waiters is the list of a reactor's streams that wait for their client. The stream whose
// client has taken too little for the longest time is first. All streams have the same limit,
// so a sweep only checks the front of the list and no stream needs a timer.
type waiters struct{ first, last *stream }

func (w *waiters) append(s *stream) {
	s.waits, s.prev, s.next = true, w.last, nil
	if w.last != nil {
		w.last.next = s
	} else {
		w.first = s
	}
	w.last = s
}

func (w *waiters) remove(s *stream) {
	if s.prev != nil {
		s.prev.next = s.next
	} else {
		w.first = s.next
	}
	if s.next != nil {
		s.next.prev = s.prev
	} else {
		w.last = s.prev
	}
	s.waits, s.prev, s.next = false, nil, nil
}

// linger records that a stream waits for its client, if it does not wait already. Reactor.
func (r *reactor) linger(s *stream) {
	if !s.waits {
		s.since = r.server.pump.now()
		r.waiters.append(s)
	}
}

// took records that the client has taken so many bytes. Reactor.
func (r *reactor) took(s *stream, n uint64) {
	if n == 0 {
		return
	}
	s.refused = false
	if s.taken += n; s.taken >= stallLeast {
		r.progress(s)
	}
}

// progress records that the client takes what it is sent. Reactor.
func (r *reactor) progress(s *stream) {
	s.refused, s.taken = false, 0
	if s.waits {
		r.waiters.remove(s)
	}
}

// awaitSocket makes a stream wait for its socket. False says that the connection is to be
// closed. Reactor.
func (r *reactor) awaitSocket(s *stream) (ok bool) {
	c := s.conn
	if err := r.server.pump.writable.arm(c.sock.Fd(), c.handle, s.armed); err != nil {
		r.server.options.Logger.Error("a socket cannot be watched; its connection was closed", "conn", c.handle, "error", err)
		c.reason = codec.CloseFault
		return false
	}
	s.armed, s.state, s.backlog = true, streamFull, c.sock.OutboundBuffered()
	r.linger(s)
	return true
}

// resume continues a stream whose socket is writable. Reactor.
func (r *reactor) resume(conn codec.Conn) {
	c := r.table.get(conn)
	if c == nil || c.stream == nil || c.stream.state != streamFull {
		return
	}
	sock := c.sock // continuing may free c
	if !r.resumeStream(c.stream) {
		_ = r.loop.Close(sock)
	}
}

// resumeStream writes the rest of the last frame and then continues. False says that the
// connection is to be closed.
func (r *reactor) resumeStream(s *stream) (ok bool) {
	if n := s.conn.sock.OutboundBuffered(); n > 0 { // gnet's bytes go first
		if n < s.backlog {
			r.took(s, uint64(s.backlog-n))
		}
		return r.awaitSocket(s)
	}
	if len(s.rest) > 0 {
		if done, err := r.sendRest(s); err != nil {
			return false
		} else if !done {
			return r.awaitSocket(s)
		}
	}
	if !s.refused {
		r.took(s, stallLeast) // the socket took most of its unsent bytes
	}
	return r.goOnSending(s)
}

// sweep closes the connections whose clients have taken too little for too long. It skips
// streams in the queue, because these do not wait for their client. Reactor.
func (r *reactor) sweep() {
	limit := r.server.pump.now() - r.server.options.Transfers.Stall
	for s := r.waiters.first; s != nil && s.since <= limit; {
		c, waits := s.conn, s.state != streamReading
		if s = s.next; !waits {
			continue
		}
		r.count.TransfersStalled.Add(1)
		c.reason = codec.CloseSlow
		drainInput(c.sock)
		_ = r.loop.Close(c.sock)
	}
}
