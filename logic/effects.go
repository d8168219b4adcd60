package logic

import (
	"gatepass/auth"
	"gatepass/codec"
	"gatepass/storage"
	"gatepass/worlds"
)

// send queues c.reply for a session; without room the session is given up, so
// that no client waits for what never comes.
func (c *Core) send(s *session) {
	if !c.ports.Out.Send(s.conn, &c.reply) {
		c.hangUp(s, codec.CloseOverload)
	}
}

// refuse tells a client no, in a reply of that kind, and closes behind it. With
// ReplyNone it only closes.
func (c *Core) refuse(s *session, kind codec.ReplyKind, result codec.Result) {
	c.signal(Signal{Kind: SignalRefused, session: s, Result: result})
	if s.native != nil {
		c.refuseNative(s, result)
		return
	}
	c.become(s, StateLeaving)
	c.reply = codec.Reply{Kind: kind, Result: result}
	if kind == codec.ReplyNone || !c.ports.Out.SendLast(s.conn, &c.reply) {
		c.close(s.conn, codec.CloseLogic)
	}
}

// hangUp closes a session without a word.
func (c *Core) hangUp(s *session, reason codec.CloseReason) {
	if s.state != StateLeaving {
		c.become(s, StateLeaving)
	} else {
		c.setDeadline(s, leavingLimit)
	}
	c.close(s.conn, reason)
}

// kick sends a client away, if it is there, because an operator wants it.
func (c *Core) kick(conn codec.Conn, why string) {
	c.sendAway(Signal{Kind: SignalKicked, session: c.sessions.get(conn), Why: why})
}

// replace sends a client away, if it is there, because its account has come in by
// another connection.
func (c *Core) replace(conn codec.Conn, why string) {
	c.sendAway(Signal{Kind: SignalKicked, session: c.sessions.get(conn), Why: why, byClient: true})
}

func (c *Core) sendAway(sig Signal) {
	if s := sig.session; s != nil && s.state != StateLeaving {
		c.signal(sig)
		c.farewell(s, sig.farewell())
	}
}

// farewell is what a native client is told that is sent away.
func (sig *Signal) farewell() codec.Result {
	switch {
	case sig.Result != codec.ResultOK:
		return sig.Result
	case sig.Why == worlds.WhyOnline:
		return codec.ResultAlreadyOnline
	case sig.byClient:
		return codec.ResultReplaced
	}
	return codec.ResultKicked
}

// close queues a close, or keeps it until there is room.
func (c *Core) close(conn codec.Conn, reason codec.CloseReason) {
	if !c.ports.Out.Close(conn, reason) {
		c.closes = append(c.closes, conn)
	}
}

// Flush submits everything that this round has gathered. What a pool does not
// take is refused to the client concerned: nobody waits in vain. Replies go
// first: whether there is something to store about a login must not show in the
// time of its answer.
func (c *Core) Flush() {
	c.reorder()
	c.callNext()
	c.ports.Out.Flush()
	c.submitJobs()
	c.submitOps()
	c.submitNotes()
	c.submitRegion()
	for len(c.closes) > 0 && c.ports.Out.Close(c.closes[0], codec.CloseOverload) {
		c.closes = c.closes[1:]
	}
	c.ports.Out.Flush()
}

func (c *Core) submitJobs() {
	if len(c.jobs) == 0 {
		return
	}
	defer func() { // also when this panics: what was submitted must not be again
		clear(c.jobs) // they hold secrets
		c.jobs = c.jobs[:0]
	}()
	for i := c.ports.Prover.Submit(c.jobs); i < len(c.jobs); i++ {
		c.count.jobsRefused.Add(1)
		if x := c.jobs[i].Native; x != nil {
			x.Wipe()
		}
		if c.jobs[i].Kind == auth.JobMint {
			c.stock.ordered--
		} else {
			c.refuseBusy(codec.Conn(c.jobs[i].Tag), codec.ReplyLogonProof)
		}
	}
}

// submitNotes comes last, and not more often than once a tick: what worlds report
// takes no room from what clients wait for.
func (c *Core) submitNotes() {
	if len(c.notes) == 0 || c.notesAt == c.whole {
		return
	}
	c.notesAt = c.whole
	taken := c.ports.Store.Submit(c.notes)
	c.count.notesDropped.Add(uint64(len(c.notes) - taken))
	c.notes = c.notes[:0]
}

func (c *Core) submitOps() {
	if len(c.ops) == 0 {
		return
	}
	defer func() { c.ops = c.ops[:0] }()
	for i := c.ports.Store.Submit(c.ops); i < len(c.ops); i++ {
		c.count.opsRefused.Add(1)
		switch op := &c.ops[i]; op.Kind {
		case storage.OpAddressBans:
			c.bansLoading, c.bansWanted = false, true
		case storage.OpRemoveDevice:
			c.removalRefused(op.Tag)
		case storage.OpSetDecoys:
			c.decoysRefused()
		case storage.OpGet, storage.OpDevice:
			c.refuseBusy(codec.Conn(op.Tag), codec.ReplyNone)
		default:
			c.refuseBusy(codec.Conn(op.Tag), codec.ReplyLogonProof)
		}
	}
}

// refuseBusy tells the client, if there is one and it still waits, that there was
// no room for what it needs.
func (c *Core) refuseBusy(conn codec.Conn, kind codec.ReplyKind) {
	if s := c.sessions.get(conn); s != nil && s.state != StateLeaving {
		if kind == codec.ReplyNone {
			kind = s.challengeKind()
		}
		c.refuse(s, kind, codec.ResultBusy)
	}
}
