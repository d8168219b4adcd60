package logic

import (
	"gatepass/codec"
	"gatepass/storage"
)

// updateQueue has the clients that are sent a file and those that wait for one, in the
// order in which they asked.
type updateQueue struct {
	// sending is how many files are being sent.
	sending int
	// waiting are those in the queue, the first at head. A client that is gone stays in
	// it until its turn; live is how many are not gone.
	waiting []codec.Conn
	head    int
	live    int
	// of is the connection of each account that waits or is sent a file.
	of map[storage.Name]codec.Conn
	// told is up to where those that wait were told their place in this pass, ahead how
	// many of them are not gone, and next when the next pass begins.
	told, ahead int
	next        int64
}

// join puts a session at the end of the queue.
func (c *Core) join(s *session) {
	l := &c.updates
	l.of[s.name] = s.conn
	s.version.stage = updateWaiting
	l.waiting = append(l.waiting, s.conn)
	l.live++
	if len(l.waiting)-l.head > 2*l.live+placesRound {
		c.compact()
	}
	c.setNoDeadline(s) // it has nothing to say until its turn comes
	c.callNext()
	if s.state == StateUpdating && s.version.stage == updateWaiting {
		s.dialect().tellPlace(c, s, uint64(l.live))
	}
}

// leave takes a session out. The next one is called when the round ends.
func (l *updateQueue) leave(s *session) {
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

// callNext starts as many transfers as there is room for.
func (c *Core) callNext() {
	l := &c.updates
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

// compact takes those out of the queue that are gone.
func (c *Core) compact() {
	l := &c.updates
	kept := l.waiting[:0]
	for _, conn := range l.waiting[l.head:] {
		if c.waits(conn) != nil {
			kept = append(kept, conn)
		}
	}
	l.waiting, l.head, l.told = kept, 0, 0
}

// waits is the session of a connection in the queue, or nil when it is gone.
func (c *Core) waits(conn codec.Conn) *session {
	if s := c.sessions.get(conn); s != nil && s.state == StateUpdating && s.version.stage == updateWaiting {
		return s
	}
	return nil
}

// shrink frees the room of those that were called, once that is half of the whole.
func (l *updateQueue) shrink() {
	if l.live == 0 {
		l.head = len(l.waiting)
	}
	if l.head > len(l.waiting)/2 {
		l.told = max(0, l.told-l.head)
		l.waiting = append(l.waiting[:0], l.waiting[l.head:]...)
		l.head = 0
	}
}

// tellPlaces tells a part of those that wait their place: with each tick another part, so
// that a long queue does not stall the logic.
func (c *Core) tellPlaces() {
	l := &c.updates
	if l.live == 0 || c.now < l.next {
		return
	}
	if l.told <= l.head {
		l.told, l.ahead = l.head, 0
	}
	for end := min(l.told+placesRound, len(l.waiting)); l.told < end; l.told++ {
		if s := c.waits(l.waiting[l.told]); s != nil {
			l.ahead++
			s.dialect().tellPlace(c, s, uint64(l.ahead))
		}
	}
	if l.told == len(l.waiting) {
		l.told, l.next = 0, c.now+placesEvery.Milliseconds()
	}
}
