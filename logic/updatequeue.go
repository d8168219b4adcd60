package logic

import (
	"gatepass/codec"
	"gatepass/storage"
)

// updateQueue has the clients that are sent a file and those that wait for one, in the
// order in which they asked.
type updateQueue struct {
	base
	desk   desk
	timers *timers
	out    Outbox
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
func (l *updateQueue) join(s *session) {
	l.of[s.name] = s.conn
	s.version.stage = updateWaiting
	l.waiting = append(l.waiting, s.conn)
	l.live++
	if len(l.waiting)-l.head > 2*l.live+placesRound {
		l.compact()
	}
	l.timers.setNever(s) // it has nothing to say until its turn comes
	l.callNext()
	if s.state == StateUpdating && s.version.stage == updateWaiting {
		l.tellPlace(s, uint64(l.live))
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
func (l *updateQueue) callNext() {
	for l.live > 0 && l.sending < l.options.UpdatesAtOnce {
		s := l.waits(l.waiting[l.head])
		if s != nil && !l.startTransfer(s) {
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
func (l *updateQueue) compact() {
	kept := l.waiting[:0]
	for _, conn := range l.waiting[l.head:] {
		if l.waits(conn) != nil {
			kept = append(kept, conn)
		}
	}
	l.waiting, l.head, l.told = kept, 0, 0
}

// waits is the session of a connection in the queue, or nil when it is gone.
func (l *updateQueue) waits(conn codec.Conn) *session {
	if s := l.desk.session(conn); s != nil && s.state == StateUpdating && s.version.stage == updateWaiting {
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
func (l *updateQueue) tellPlaces() {
	if l.live == 0 || l.now < l.next {
		return
	}
	if l.told <= l.head {
		l.told, l.ahead = l.head, 0
	}
	for end := min(l.told+placesRound, len(l.waiting)); l.told < end; l.told++ {
		if s := l.waits(l.waiting[l.told]); s != nil {
			l.ahead++
			l.tellPlace(s, uint64(l.ahead))
		}
	}
	if l.told == len(l.waiting) {
		l.told, l.next = 0, l.now+placesEvery.Milliseconds()
	}
}

// tellPlace tells a client its place, if that is news and its protocol has a message for
// it.
func (l *updateQueue) tellPlace(s *session, place uint64) {
	if s.version.place == place {
		return
	}
	s.version.place = place
	if r, ok := s.dialect().placeReply(place); ok {
		l.desk.say(s, r)
	}
}

// startTransfer has the session's reactor send the file. The reactor closes the
// connection of a client that does not read. False means that there was no room to tell
// the reactor.
func (l *updateQueue) startTransfer(s *session) bool {
	v := s.version
	t := &codec.Transfer{Source: v.Update, Size: v.Update.Size, Offset: v.offset, Window: v.window}
	if !l.out.StartTransfer(s.conn, t) {
		return false
	}
	v.stage = updateSending
	return true
}

// ofAccount returns the session of an account that waits for a file or is sent one, or nil.
func (l *updateQueue) ofAccount(name storage.Name) *session { return l.desk.session(l.of[name]) }
