package gate

import (
	"gatepass/codec"
	"gatepass/worlds"
)

// send queues a reply for a session. If there is no room, it gives up the session, so
// that no client waits for a lost reply. The place is filled when the connection is
// closed; at this moment the next client would find no room either.
func (c *core) send(s *session, kind codec.ReplyKind, w *codec.WorldReply) {
	c.reply(s, &codec.Reply{Kind: kind, World: w})
}

// reply is send for any kind of reply.
func (c *core) reply(s *session, r *codec.Reply) {
	if !c.ports.out.Send(s.conn, r) {
		s.why = LeftOverload
		c.hangUp(s, codec.CloseOverload)
	}
}

// verdict returns the answer to the client's introduction. The first answer after a
// correct proof carries the key.
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

// turnAway refuses a client. A client with a wrong name, key or proof learns it only
// after a constant time; see Options.RefusalDelay.
func (c *core) turnAway(s *session, why Refusal) {
	c.count.refused[why].Add(1)
	if a := s.attempt; a != nil && veiled[why] && a.started+c.options.RefusalDelay.Milliseconds() > c.now {
		a.refusal = why
		c.become(s, StateRefusing)
		return
	}
	c.refuse(s, why)
}

// refuse sends a refusal and closes the connection after it.
func (c *core) refuse(s *session, why Refusal) {
	last := c.refusal(s, why)
	c.become(s, StateLeaving)
	c.sendLast(s, &last)
}

// sendLast sends a last reply and closes the connection. ReplyNone sends nothing.
func (c *core) sendLast(s *session, r *codec.Reply) {
	if r.Kind == codec.ReplyNone || !c.ports.out.SendLast(s.conn, r) {
		c.close(s.conn, codec.CloseLogic)
	}
}

// sendAway closes a player's connection after the queued replies.
func (c *core) sendAway(s *session, why LeftReason) { c.sendAwayWith(s, why, leftResults[why]) }

// sendAwayWith is sendAway with the result for a native client.
func (c *core) sendAwayWith(s *session, why LeftReason, told codec.Result) {
	if s.state == StateLeaving {
		return
	}
	s.why = why
	c.part(s, told)
	c.fill()
}

// part closes a player's connection. It sends the result to a native client.
func (c *core) part(s *session, told codec.Result) {
	var last codec.Reply
	if s.native && told != codec.ResultOK {
		last = codec.Reply{Kind: codec.ReplyKicked, Result: told}
	}
	c.become(s, StateLeaving)
	c.sendLast(s, &last)
}

// hangUp closes a session without a reply.
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

// locate asks the directory which node holds a session's key.
func (c *core) locate(s *session) {
	c.effects = append(c.effects, worlds.Effect{
		Locate: &worlds.Locate{Account: s.account, Tag: uint64(s.conn), Wait: true},
	})
}

// progress tells the login server that issued a native client's pass where the client
// is: its position in the queue, or 0 when it is in the world.
func (c *core) progress(s *session, position uint32) {
	c.report(s.origin, worlds.Progress{Position: position})
}

// tellEnded tells the login server that issued a pass why the directory has ended its
// client here. The client can still see it there, because its login continues.
func (c *core) tellEnded(o *origin, why string) {
	if why == "" {
		why = "ended"
	}
	c.report(o, worlds.Progress{Ended: why})
}

// report sends a progress message to the origin of a pass. nil means no origin.
func (c *core) report(o *origin, p worlds.Progress) {
	if o == nil {
		return
	}
	p.Pass = o.pass
	c.effects = append(c.effects, worlds.Effect{To: o.from, Progress: &p})
}

// announce sends an announcement about a key to the directory.
func (c *core) announce(kind worlds.AnnouncementKind, account codec.Name, stay worlds.Stay) {
	c.effects = append(c.effects, worlds.Effect{
		Announce: &worlds.Announcement{Account: account, Stamp: stay.Stamp, Hop: stay.Hop, Kind: kind, Voucher: stay.Voucher},
	})
}

// collectMoves adds the moves of the passes to the effects. It must be the last step,
// because the slice of Outgoing is valid only until the next call of the passes.
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
