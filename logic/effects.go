package logic

import (
	"gatepass/auth"
	"gatepass/codec"
	"gatepass/storage"
)

// send queues c.reply for a session. Without room the session ends, so that no client
// waits for a message that never comes.
func (c *Core) send(s *session) {
	if !c.ports.Out.Send(s.conn, &c.reply) {
		c.end(s, endOverload)
	}
}

// close queues a close, or keeps it until there is room.
func (c *Core) close(conn codec.Conn, reason codec.CloseReason) {
	if !c.ports.Out.Close(conn, reason) {
		c.closes = append(c.closes, conn)
	}
}

// Flush submits everything that this round has gathered. A client whose request a pool
// does not take is refused: every client gets an answer. Replies go first: the time of an
// answer must not tell whether there is something to store about a login.
func (c *Core) Flush() {
	c.refillPool()
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
	defer func() { // also after a panic: nothing may be submitted twice
		clear(c.jobs) // they hold secrets
		c.jobs = c.jobs[:0]
	}()
	for i := c.ports.Prover.Submit(c.jobs); i < len(c.jobs); i++ {
		c.count.jobsRefused.Add(1)
		if x := c.jobs[i].Native; x != nil {
			x.Wipe()
		}
		if c.jobs[i].Kind == auth.JobMint {
			c.pool.ordered--
		} else {
			c.endConn(codec.Conn(c.jobs[i].Tag), endBusy)
		}
	}
}

// submitNotes comes last, and not more often than once a tick: the worlds' reports take no
// room from the requests that clients wait for.
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
		default:
			c.endConn(codec.Conn(op.Tag), endBusy)
		}
	}
}
