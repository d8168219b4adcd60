package logic

import (
	"time"

	"gatepass/codec"
	"gatepass/patches"
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

// figures is how many files are being sent, and how many clients wait for one.
func (l *updateQueue) figures() (sending, waiting int) { return l.sending, l.live }

// ofAccount returns the session of an account that waits for a file or is sent one, or nil.
func (l *updateQueue) ofAccount(name storage.Name) *session { return l.desk.session(l.of[name]) }

// updating brings a client up to date that has proven who it is and is too old: it is
// offered a file, asks for it, waits for its turn (see updateQueue), and is sent it by its
// reactor. It gets no key: it comes back with the new build.
//
//	offered ─accept─▶ (waiting) ─▶ sending ─ended─▶ sent
//	   └──────────── cancel, from any ─────────────┴──▶ closed
type updating struct{}

// updateStage is how far an update has come.
type updateStage uint8

const (
	// updateOffered: the client has not answered the offer yet.
	updateOffered updateStage = iota
	// updateWaiting: it is in the queue.
	updateWaiting
	// updateSending: its reactor sends the file.
	updateSending
	// updateSent: it has everything, and is to close the connection by itself.
	updateSent
)

// version is what follows from what a client runs, and how far its update has come.
type version struct {
	patches.Verdict
	stage  updateStage
	window uint32
	offset uint64
	// place is the last one in the queue that the client was told.
	place uint64
	// ended is how sending the file ended.
	ended codec.TransferEnd
}

// judge notes what follows from what a client says it runs.
func judge(s *session, h *codec.Hello, versions Versions) {
	client := patches.Client{Protocol: s.protocol, Build: h.Build, System: h.System, Arch: h.Platform, Locale: h.Locale}
	if v := versions.Judge(client); !v.Allowed || len(v.Known) > 0 {
		s.version = &version{Verdict: v}
	}
}

// tooOld tells whether a client must be brought up to date.
func (s *session) tooOld() bool { return s.version != nil && !s.version.Allowed }

func (updating) Enter(c *Core, s *session) {
	c.signals.raise(Signal{Kind: SignalUpdateOffered, session: s})
	s.dialect().offerUpdate(c, s)
	c.sessions.endAttempt(s)
	if c.service.draining { // the drain began during the sign-in
		c.end(s, endDrained)
	}
}

// updateOffer is the offer of the file that brings a client up to date.
func updateOffer(s *session) codec.Reply {
	f := s.version.Update
	return codec.Reply{Kind: codec.ReplyTransferOffer, Offer: codec.TransferOffer{Size: f.Size, MD5: f.MD5}}
}

// Leave gives back the session's place, in the queue or among those that are served.
func (updating) Leave(c *Core, s *session) { c.updates.leave(s) }

func (updating) Limit(o *Options) time.Duration { return o.AcceptLimit }

func (u updating) Step(c *Core, s *session, in Input) bool {
	if in.Kind != InputMessage {
		return false
	}
	switch m := in.Message; m.Kind {
	case codec.KindTransferAccept, codec.KindTransferResume:
		u.accepted(c, s, m)
	case codec.KindTransferCancel:
		if s.version.stage == updateSent {
			c.end(s, endUpdated)
		} else {
			c.end(s, endUpdateCancelled)
		}
	case codec.KindTransferEnded:
		u.transferred(c, s, m.Ended)
	case codec.KindPing:
		c.say(s, codec.Reply{Kind: codec.ReplyPong, Number: m.Number})
	}
	return true
}

// accepted puts a client into the queue that wants its file, from m.Number on if it has
// the part before. An account is sent one file at a time.
func (u updating) accepted(c *Core, s *session, m *codec.Message) {
	v := s.version
	if v.stage != updateOffered {
		c.counters.outOfPlace[s.state].Add(1)
		c.end(s, endProtocol)
		return
	}
	if m.Kind == codec.KindTransferResume {
		v.offset, v.window = m.Number, m.Window
	}
	if v.offset > v.Update.Size {
		u.failed(c, s, codec.TransferOffset)
		return
	}
	if other := c.updates.ofAccount(s.name); other != nil && other != s {
		c.end(other, endSecondUpdate)
	}
	c.updates.join(s)
}

// transferred handles the reactor's message that it does not send the file any more.
func (u updating) transferred(c *Core, s *session, ended codec.TransferEnd) {
	if ended != codec.TransferDone {
		u.failed(c, s, ended)
		return
	}
	c.signals.raise(Signal{Kind: SignalUpdateDone, session: s})
	s.dialect().fileSent(c, s)
}

// failed ends a client's update.
func (updating) failed(c *Core, s *session, ended codec.TransferEnd) {
	s.version.ended = ended
	c.end(s, endUpdateFailed)
}
