package gate

import (
	"gatepass/codec"
	"gatepass/worlds"
)

// send queues a reply for a session; without room the session is given up, so
// that no client waits for what never comes. Its place is filled once it is closed:
// just now whoever came next would be given up too.
func (c *core) send(s *session, kind codec.ReplyKind, w *codec.WorldReply) {
	c.reply(s, &codec.Reply{Kind: kind, World: w})
}

// reply is send for a reply of any kind.
func (c *core) reply(s *session, r *codec.Reply) {
	if !c.ports.out.Send(s.conn, r) {
		s.why = LeftOverload
		c.hangUp(s, codec.CloseOverload)
	}
}

// verdict is an answer to the client's introduction. The first behind a right
// proof brings the key.
func (c *core) verdict(s *session, code uint8) *codec.WorldReply {
	w := &codec.WorldReply{Code: code}
	if !s.proven || s.keyed {
		return w
	}
	if h := c.passes.Find(s.account); h != nil && h.Key() != nil {
		w.KeySet = copy(w.Key[:], h.Key().Bytes()) == len(w.Key)
		s.keyed = w.KeySet
	}
	return w
}

// turnAway refuses a client. Whoever was wrong about itself is told so only after
// a time that is always the same; see Options.RefusalDelay.
func (c *core) turnAway(s *session, why Refusal) {
	c.count.refused[why].Add(1)
	if a := s.attempt; a != nil && veiled[why] && a.started+c.options.RefusalDelay.Milliseconds() > c.now {
		a.refusal = why
		c.become(s, StateRefusing)
		return
	}
	c.refuse(s, why)
}

// refuse tells a client no and closes behind it.
func (c *core) refuse(s *session, why Refusal) {
	last := c.refusal(s, why)
	c.become(s, StateLeaving)
	c.sendLast(s, &last)
}

// sendLast closes a connection behind a last word; ReplyNone is none.
func (c *core) sendLast(s *session, r *codec.Reply) {
	if r.Kind == codec.ReplyNone || !c.ports.out.SendLast(s.conn, r) {
		c.close(s.conn, codec.CloseLogic)
	}
}

// sendAway closes a player's connection, behind what was sent before.
func (c *core) sendAway(s *session, why LeftReason) { c.sendAwayWith(s, why, leftResults[why]) }

// sendAwayWith is sendAway with what a native client is told.
func (c *core) sendAwayWith(s *session, why LeftReason, told codec.Result) {
	if s.state == StateLeaving {
		return
	}
	s.why = why
	c.part(s, told)
	c.fill()
}

// part closes a player's connection. A native client is told why.
func (c *core) part(s *session, told codec.Result) {
	var last codec.Reply
	if s.native && told != codec.ResultOK {
		last = codec.Reply{Kind: codec.ReplyKicked, Result: told}
	}
	c.become(s, StateLeaving)
	c.sendLast(s, &last)
}

// hangUp closes a session without a word.
func (c *core) hangUp(s *session, reason codec.CloseReason) {
	if s.state != StateLeaving {
		c.become(s, StateLeaving)
	} else {
		c.setDeadline(s, c.now+leavingLimit.Milliseconds())
	}
	c.close(s.conn, reason)
}

// close queues a close, or keeps it until there is room.
func (c *core) close(conn codec.Conn, reason codec.CloseReason) {
	if !c.ports.out.Close(conn, reason) {
		c.closes = append(c.closes, conn)
	}
}

// locate asks the directory who holds a session's key.
func (c *core) locate(s *session) {
	c.effects = append(c.effects, worlds.Effect{
		Locate: &worlds.Locate{Account: s.account, Tag: uint64(s.conn), Wait: true},
	})
}

// progress tells the login server that a native client's pass came from how far
// the client is: its position, or 0 once it is in.
func (c *core) progress(s *session, position uint32) {
	c.report(s.origin, worlds.Progress{Position: position})
}

// tellEnded tells the login server that a pass came from why the directory has ended
// its client here: the login goes on there, and so does what its client sees of it.
func (c *core) tellEnded(o *origin, why string) {
	if why == "" {
		why = "ended"
	}
	c.report(o, worlds.Progress{Ended: why})
}

// report sends news of a pass to where it came from; nil is nowhere.
func (c *core) report(o *origin, p worlds.Progress) {
	if o == nil {
		return
	}
	p.Pass = o.pass
	c.effects = append(c.effects, worlds.Effect{To: o.from, Progress: &p})
}

// announce tells the directory about a key here.
func (c *core) announce(kind worlds.AnnouncementKind, account codec.Name, stay worlds.Stay) {
	c.effects = append(c.effects, worlds.Effect{
		Announce: &worlds.Announcement{Account: account, Stamp: stay.Stamp, Hop: stay.Hop, Kind: kind, Voucher: stay.Voucher},
	})
}

// collectMoves takes what the passes want to be sent. It is called last: what
// Outgoing gives is good until the passes' next call.
func (c *core) collectMoves() {
	out := c.passes.Outgoing()
	c.moves = append(c.moves, out...)
	for i := range out {
		out[i].Move.Key.Wipe()
	}
	for i := range c.moves {
		c.effects = append(c.effects, worlds.Effect{To: c.moves[i].To, Move: &c.moves[i].Move})
	}
}
