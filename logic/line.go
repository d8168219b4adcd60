package logic

import (
	"gatepass/codec"
	"gatepass/storage"
)

// line is who is sent a file, and who waits for one: first come, first served. It
// belongs to the logic goroutine.
type line struct {
	// sending is how many files are being sent.
	sending int
	// waiting are those in line, the first at head. Who has gone stays until it is
	// passed over; live is how many have not.
	waiting []codec.Conn
	head    int
	live    int
	// of is the connection of each account that waits or is sent a file.
	of map[storage.Name]codec.Conn
	// told is how far the line has been gone through to tell those who wait their
	// place, ahead how many of them were still there, and next when that begins again.
	told, ahead int
	next        int64
}

// join puts a session behind all others.
func (c *Core) join(s *session) {
	l := &c.line
	l.of[s.name] = s.conn
	s.version.stage = updateWaiting
	l.waiting = append(l.waiting, s.conn)
	l.live++
	if len(l.waiting)-l.head > 2*l.live+lineRound {
		c.closeRanks()
	}
	c.setNoDeadline(s) // it has nothing to say until its turn comes
	c.callNext()
	if s.state == StateUpdating && s.version.stage == updateWaiting {
		c.tellPlace(s, uint64(l.live))
	}
}

// leave takes a session out. Who comes next is called when the round ends.
func (l *line) leave(s *session) {
	if l.of[s.name] == s.conn {
		delete(l.of, s.name)
	}
	switch s.version.stage {
	case updateWaiting:
		l.live--
	case updateSending:
		l.sending--
	}
	s.version.stage = updateSent
}

// callNext lets those begin for whom there is room.
func (c *Core) callNext() {
	l := &c.line
	for l.live > 0 && l.sending < c.options.UpdatesAtOnce {
		s := c.waits(l.waiting[l.head])
		if s != nil && !c.startTransfer(s) {
			return // the send queue is full; it is tried again
		}
		if l.head++; s != nil {
			l.live--
			l.sending++
		}
	}
	l.shrink()
}

// closeRanks takes those out of the line who have gone.
func (c *Core) closeRanks() {
	l := &c.line
	kept := l.waiting[:0]
	for _, conn := range l.waiting[l.head:] {
		if c.waits(conn) != nil {
			kept = append(kept, conn)
		}
	}
	l.waiting, l.head, l.told = kept, 0, 0
}

// waits is the session of one in line, or nil when it has gone.
func (c *Core) waits(conn codec.Conn) *session {
	if s := c.sessions.get(conn); s != nil && s.state == StateUpdating && s.version.stage == updateWaiting {
		return s
	}
	return nil
}

// shrink gives back the room of those who were called, once that is half of all.
func (l *line) shrink() {
	if l.live == 0 {
		l.head = len(l.waiting)
	}
	if l.head > len(l.waiting)/2 {
		l.told = max(0, l.told-l.head)
		l.waiting = append(l.waiting[:0], l.waiting[l.head:]...)
		l.head = 0
	}
}

// tellLine tells some of those who wait how far they have come: a part of the line each
// tick, so that a long one stalls nobody.
func (c *Core) tellLine() {
	l := &c.line
	if l.live == 0 || c.now < l.next {
		return
	}
	if l.told <= l.head {
		l.told, l.ahead = l.head, 0
	}
	for end := min(l.told+lineRound, len(l.waiting)); l.told < end; l.told++ {
		if s := c.waits(l.waiting[l.told]); s != nil {
			l.ahead++
			c.tellPlace(s, uint64(l.ahead))
		}
	}
	if l.told == len(l.waiting) {
		l.told, l.next = 0, c.now+lineEvery.Milliseconds()
	}
}

// tellPlace tells a native client its place, if that is news.
func (c *Core) tellPlace(s *session, place uint64) {
	if s.native == nil || s.version.place == place {
		return
	}
	s.version.place = place
	c.reply = codec.Reply{Kind: codec.ReplyTransferQueued, Number: place}
	c.send(s)
}
