package logic

import (
	"crypto/subtle"
	"time"

	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/storage"
	"gatepass/worlds"
)

// reproving lets a client in that still has the key of an earlier login. Every
// name gets a challenge, so that a stranger does not learn who is online.
type reproving struct{}

func (reproving) Enter(c *Core, s *session) {
	if !c.pool.random(s.attempt.challenge[:]) {
		c.end(s, endBusy)
		return
	}
	c.reply = codec.Reply{Kind: codec.ReplyReconnectChallenge, ReconnectData: s.attempt.challenge}
	c.send(s)
}

func (reproving) Leave(*Core, *session) {}

func (reproving) Limit(o *Options) time.Duration { return o.ProvingLimit }

// Process checks the proof here and not in the pool: it is one SHA-1.
func (reproving) Process(c *Core, s *session, m *codec.Message) {
	a := s.attempt
	a.reproof = m.Reconnect
	var key srp6.SessionKey
	defer key.Wipe()
	h := c.keyOf(s.name)
	if h != nil && copy(key[:], h.Key().Bytes()) < len(key) {
		h = nil // a native client's, which no reconnect proves
	}
	want := srp6.ReconnectProof(s.name.Bytes(), &a.reproof.R1, &a.challenge, &key) // with or without a key: the same work
	if subtle.ConstantTimeCompare(want[:], a.reproof.R2[:]) == 1 && h != nil {
		c.raise(Event{Kind: EventReconnectRequested, conn: s.conn})
		return
	}
	c.become(s, StateReclaiming)
}

// reconnected lets a client in whose key is here, when no filter objected.
func (c *Core) reconnected(s *session) {
	h := c.keyOf(s.name)
	if h == nil { // a bug of ours: it was here a moment ago
		c.end(s, endBusy)
		return
	}
	if older := h.Owner.holder; older != s.conn {
		h.Owner.holder = s.conn // before the older session ends, else the key goes with it
		c.endConn(older, endReconnect)
	}
	c.become(s, StateChoosing)
	c.signal(Signal{Kind: SignalReconnected, session: s})
	c.reply = codec.Reply{Kind: codec.ReplyReconnectProof}
	c.send(s)
}

// reclaiming looks for the key in the region: at the world that the client comes
// from, or at another login server. A refusal is held back for a fixed time, so
// that it takes the same whether there is a key somewhere, or only a wrong proof.
type reclaiming struct{}

func (reclaiming) Enter(c *Core, s *session) {
	s.attempt.refuseAt = s.deadline
	c.locate(s) // also when there is a key here and the proof is wrong: it must look the same
}

// locate asks the directory, which may have just begun, or be away. Until it answers
// nobody is refused.
func (c *Core) locate(s *session) {
	a := s.attempt
	if a.answered = c.alone; a.asked == 0 {
		a.asked = c.now
	}
	c.locates = append(c.locates, worlds.Locate{Account: codec.Name(s.name), Tag: uint64(s.conn)})
}

func (reclaiming) Leave(c *Core, s *session) {
	if a := s.attempt; a.pass != (worlds.PassID{}) {
		delete(c.reclaims, a.pass)
		c.keys.Abandon(a.pass)
	}
}

func (reclaiming) Limit(*Options) time.Duration { return reclaimRefusal }

// Process is never called: no message is valid here.
func (reclaiming) Process(*Core, *session, *codec.Message) {}

// located takes the directory's answer and begins to move the key.
func (c *Core) located(p *worlds.Place) {
	s := c.sessions.get(codec.Conn(p.Tag))
	if s == nil || s.state != StateReclaiming || p.Account != codec.Name(s.name) || s.attempt.pass != (worlds.PassID{}) {
		return
	}
	a := s.attempt
	a.answered = true
	switch {
	case p.Holder == c.options.Node && c.keyOf(s.name) == nil:
		a.answered = false // it has not heard yet where the key went from here
	case p.Holder == "" && c.now-a.asked > slowAnswer.Milliseconds() && a.slow < slowAnswers:
		a.answered = false // it may not have heard yet of the key
		a.slow++
	}
	a.asked = 0
	if p.Holder == "" || p.Holder == c.options.Node {
		c.lookAgain(s)
		return
	}
	if !c.pool.random(a.pass[:]) {
		a.answered = false // there will be when it is asked again
		c.lookAgain(s)
		return
	}
	proof := a.proofOfReturn()
	if err := c.keys.Claim(a.pass, p.Account, p.Holder, &proof); err != nil {
		a.pass, a.answered = worlds.PassID{}, false
		c.lookAgain(s)
		return
	}
	c.reclaims[a.pass] = s.conn
	c.setDeadline(s, reclaimLimit)
}

// proofOfReturn is how the client proved that it has the key.
func (a *attempt) proofOfReturn() worlds.Proof {
	return worlds.Proof{Client: a.reproof.R1, Challenge: a.challenge, Digest: a.reproof.R2}
}

// taken: the key is here now.
func (c *Core) taken(o *worlds.Outcome[holding]) {
	h := c.keys.Find(o.Account)
	if h == nil {
		return // ended in the same breath
	}
	c.announce(h, worlds.AnnounceMoved)
	s := c.reclaimer(o.Pass)
	if s == nil { // the client has gone meanwhile: its grace begins
		c.keepForGrace(h)
		return
	}
	s.attempt.pass = worlds.PassID{}
	if proof := s.attempt.proofOfReturn(); !proves(h, &proof) { // the holder should not have given it
		c.keepForGrace(h)
		c.setDeadlineAt(s, s.attempt.refuseAt)
		return
	}
	h.Owner.holder = s.conn
	c.raise(Event{Kind: EventReconnectRequested, conn: s.conn})
}

// keepForGrace keeps a key whose client is not here for the reconnect grace.
func (c *Core) keepForGrace(h *heldKey) {
	h.Owner.until = c.now + c.options.ReconnectGrace.Milliseconds()
	h.Owner.armed = c.graces.Arm(storage.Name(h.Account), h.Owner.until)
}

// notTaken: the key does not come. Where the client's proof was wrong, the refusal
// comes when it would have; else the key has moved on, or its holder is behind.
func (c *Core) notTaken(o *worlds.Outcome[holding]) {
	if s := c.reclaimer(o.Pass); s != nil {
		s.attempt.pass = worlds.PassID{}
		s.attempt.answered = o.Reason == worlds.ReasonProof
		c.lookAgain(s)
	}
}

// lookAgain has the directory asked once more with the next tick, if that is in
// time for the refusal: of a key that has just moved it may have known the place
// before only.
func (c *Core) lookAgain(s *session) {
	a := s.attempt
	switch next := c.now + 1; {
	case next < a.refuseAt:
		c.setDeadlineAt(s, next)
	case a.answered:
		c.setDeadlineAt(s, a.refuseAt)
	default:
		c.setDeadline(s, locateEvery)
	}
}

// reclaimer is the session that waits for a claim, or nil.
func (c *Core) reclaimer(pass worlds.PassID) *session {
	conn, ok := c.reclaims[pass]
	delete(c.reclaims, pass)
	if s := c.sessions.get(conn); ok && s != nil && s.state == StateReclaiming && s.attempt.pass == pass {
		return s
	}
	return nil
}

// asksOn has the directory asked again for a client whose time to be refused has not
// come; false when it has. While the directory does not answer, or is behind, it does
// not come, for every name alike: a refusal says that there is no key, never that the
// region was late.
func (c *Core) asksOn(s *session) bool {
	a := s.attempt
	switch {
	case c.now < a.refuseAt: // see lookAgain
		c.locate(s)
		c.setDeadlineAt(s, a.refuseAt)
		return true
	case !a.answered && c.now < a.refuseAt+locateLimit.Milliseconds():
		c.locate(s)
		c.setDeadline(s, locateEvery)
		return true
	}
	return false
}

// notReclaimed refuses a client whose time is over.
func (c *Core) notReclaimed(s *session) {
	c.signal(Signal{Kind: SignalReproofFailed, session: s})
	c.end(s, endWrongCredentials)
}
