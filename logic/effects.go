package logic

import (
	"gatepass/auth"
	"gatepass/codec"
	"gatepass/storage"
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

// kick sends a client away, if it is there.
func (c *Core) kick(conn codec.Conn, why string) {
	s := c.sessions.get(conn)
	if s == nil || s.state == StateLeaving {
		return
	}
	c.signal(Signal{Kind: SignalKicked, session: s, Why: why})
	c.hangUp(s, codec.CloseLogic)
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
	c.ports.Out.Flush()
	c.submitJobs()
	c.submitOps()
	for len(c.closes) > 0 && c.ports.Out.Close(c.closes[0], codec.CloseOverload) {
		c.closes = c.closes[1:]
	}
	c.ports.Out.Flush()
}

func (c *Core) submitJobs() {
	if len(c.jobs) == 0 {
		return
	}
	for i := c.ports.Prover.Submit(c.jobs); i < len(c.jobs); i++ {
		c.count.jobsRefused.Add(1)
		if c.jobs[i].Kind == auth.JobMint {
			c.stock.ordered--
		} else if s := c.sessions.get(codec.Conn(c.jobs[i].Tag)); s != nil {
			c.refuse(s, codec.ReplyLogonProof, codec.ResultBusy)
		}
	}
	clear(c.jobs) // they hold secrets
	c.jobs = c.jobs[:0]
}

func (c *Core) submitOps() {
	if len(c.ops) == 0 {
		return
	}
	for i := c.ports.Store.Submit(c.ops); i < len(c.ops); i++ {
		c.count.opsRefused.Add(1)
		s := c.sessions.get(codec.Conn(c.ops[i].Tag))
		switch {
		case s == nil: // nobody waits for it
		case c.ops[i].Kind == storage.OpGet:
			c.refuse(s, codec.ReplyLogonChallenge, codec.ResultBusy)
		default:
			c.refuse(s, codec.ReplyLogonProof, codec.ResultBusy)
		}
	}
	c.ops = c.ops[:0]
}
