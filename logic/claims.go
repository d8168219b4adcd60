package logic

import (
	"crypto/subtle"
	"time"

	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/storage"
	"gatepass/worlds"
)

// claims brings the keys of clients that came back from where they are in the region.
type claims struct {
	base
	desk      claimDesk
	rules     *rules
	keys      *keyring
	directory *directory
	pool      *keyPool
	timers    *timers
	alone     bool // there is no region
	// of has the connection that each claim is for.
	of map[worlds.PassID]codec.Conn
}

// claimDesk is what claims do with sessions.
type claimDesk interface {
	session(conn codec.Conn) *session
	end(s *session, why endReason)
}

// locate asks the directory where an account's key is. No client is refused before it
// answers: it may have just started, or be away.
func (l *claims) locate(s *session) {
	a := s.attempt
	if a.answered = l.alone; a.asked == 0 {
		a.asked = l.now
	}
	l.directory.locate(codec.Name(s.name), uint64(s.conn))
}

// abandon gives up a session's claim.
func (l *claims) abandon(s *session) {
	if a := s.attempt; a.pass != (worlds.PassID{}) {
		delete(l.of, a.pass)
		l.keys.abandon(a.pass)
	}
}

// located handles the directory's answer and begins to move the key.
func (l *claims) located(s *session, p *worlds.Place) {
	a := s.attempt
	if p.Account != codec.Name(s.name) || a.pass != (worlds.PassID{}) {
		return
	}
	a.answered = true
	switch {
	case p.Holder == l.options.Node && l.keys.usable(s.name) == nil:
		a.answered = false // it has not heard yet where the key went from here
	case p.Holder == "" && l.now-a.asked > slowAnswer.Milliseconds() && a.slow < slowAnswers:
		a.answered = false // it may not have heard yet of the key
		a.slow++
	}
	a.asked = 0
	if p.Holder == "" || p.Holder == l.options.Node {
		l.lookAgain(s)
		return
	}
	if !l.pool.random(a.pass[:]) {
		a.answered = false // there will be random bytes when it is asked again
		l.lookAgain(s)
		return
	}
	proof := a.proofOfReturn()
	if err := l.keys.claim(a.pass, p.Account, p.Holder, &proof); err != nil {
		a.pass, a.answered = worlds.PassID{}, false
		l.lookAgain(s)
		return
	}
	l.of[a.pass] = s.conn
	l.timers.set(s, reclaimLimit)
}

// proofOfReturn is how the client proved that it has the key.
func (a *attempt) proofOfReturn() worlds.Proof {
	return worlds.Proof{Client: a.reproof.R1, Challenge: a.challenge, Digest: a.reproof.R2}
}

// settled notes how a claim came out, and returns the session that the claim is for, or
// nil. What it means for the session, its state decides.
func (l *claims) settled(o *worlds.Outcome[holding]) *session {
	if o.Kind == worlds.OutcomeTaken {
		h := l.keys.find(storage.Name(o.Account))
		if h == nil {
			return nil // it was ended in the same round
		}
		l.keys.announce(h, worlds.AnnounceMoved)
	}
	s := l.desk.session(l.of[o.Pass])
	delete(l.of, o.Pass)
	return s
}

// untaken keeps a key that has come, and whose client is gone, for the reconnect grace.
func (l *claims) untaken(o *worlds.Outcome[holding]) {
	if h := l.keys.find(storage.Name(o.Account)); h != nil && o.Kind == worlds.OutcomeTaken {
		l.keys.keep(h)
	}
}

// goOn goes on with a session that is reclaiming, as its claim came out. It returns false
// if the claim is not the session's.
func (l *claims) goOn(s *session, o *worlds.Outcome[holding]) bool {
	a := s.attempt
	if a.pass != o.Pass {
		return false
	}
	a.pass = worlds.PassID{}
	if o.Kind == worlds.OutcomeNotTaken {
		// If the client's proof was wrong, the refusal comes when it would have come without
		// a claim; else the key has moved on, or its holder is behind.
		a.answered = o.Reason == worlds.ReasonProof
		l.lookAgain(s)
		return true
	}
	h := l.keys.find(storage.Name(o.Account))
	if proof := a.proofOfReturn(); !proves(h, &proof) { // the holder should not have given it
		l.keys.keep(h)
		l.timers.setAt(s, a.refuseAt)
		return true
	}
	l.keys.handTo(h, s.conn)
	l.rules.raise(EventReconnectRequested, s)
	return true
}

// lookAgain has the directory asked once more with the next tick, if the refusal is not due
// before: when a key has just moved, the directory may still name the place before.
func (l *claims) lookAgain(s *session) {
	a := s.attempt
	switch next := l.now + 1; {
	case next < a.refuseAt:
		l.timers.setAt(s, next)
	case a.answered:
		l.timers.setAt(s, a.refuseAt)
	default:
		l.timers.set(s, locateEvery)
	}
}

// goesOn asks the directory again for a client that is not to be refused yet, and returns
// false when it is. While the directory does not answer, or is behind, no client is
// refused, whatever its name: a refusal says that there is no key, never that the region
// was late.
func (l *claims) goesOn(s *session) bool {
	a := s.attempt
	switch {
	case l.now < a.refuseAt: // see lookAgain
		l.locate(s)
		l.timers.setAt(s, a.refuseAt)
		return true
	case !a.answered && l.now < a.refuseAt+locateLimit.Milliseconds():
		l.locate(s)
		l.timers.set(s, locateEvery)
		return true
	}
	return false
}

// timeOver refuses a client unless it goes on.
func (l *claims) timeOver(s *session) {
	if !l.goesOn(s) {
		l.desk.end(s, endReproofFailed)
	}
}

// reproving lets a client in that still has the key of an earlier login. It sends a
// challenge for every name, so that a stranger does not learn who is online.
type reproving struct{}

func (reproving) Enter(c *Core, s *session) {
	if !c.pool.random(s.attempt.challenge[:]) {
		c.end(s, endBusy)
		return
	}
	c.say(s, codec.Reply{Kind: codec.ReplyReconnectChallenge, ReconnectData: s.attempt.challenge})
}

func (reproving) Leave(*Core, *session) {}

func (reproving) Limit(o *Options) time.Duration { return o.ProvingLimit }

func (t reproving) Step(c *Core, s *session, in Input) bool {
	switch in.Kind {
	case InputMessage:
		t.proof(c, s, &in.Message.Reconnect)
	case inputPassed:
		reconnected(c, s)
	default:
		return false
	}
	return true
}

// proof checks the proof here and not in the pool: it is one SHA-1.
func (reproving) proof(c *Core, s *session, p *codec.Reconnect) {
	a := s.attempt
	a.reproof = *p
	var key srp6.SessionKey
	defer key.Wipe()
	h := c.keys.usable(s.name)
	if h != nil && copy(key[:], h.Key().Bytes()) < len(key) {
		h = nil // a native client's, which no reconnect proves
	}
	want := srp6.ReconnectProof(s.name.Bytes(), &a.reproof.R1, &a.challenge, &key) // with or without a key: the same work
	if subtle.ConstantTimeCompare(want[:], a.reproof.R2[:]) == 1 && h != nil {
		c.rules.raise(EventReconnectRequested, s)
		return
	}
	c.become(s, StateReclaiming)
}

// reconnected lets a client in whose key is here, when no rule objected.
func reconnected(c *Core, s *session) {
	h := c.keys.usable(s.name)
	if h == nil { // a bug of ours: it was here a moment ago
		c.end(s, endBusy)
		return
	}
	if older := c.keys.handTo(h, s.conn); older != 0 { // before the older session ends, else the key goes with it
		c.endConn(older, endReconnect)
	}
	c.become(s, StateChoosing)
	c.signals.raise(Signal{Kind: SignalReconnected, session: s})
	c.say(s, codec.Reply{Kind: codec.ReplyReconnectProof})
}

// reclaiming looks for the key in the region: at the world that the client comes
// from, or at another login server. A refusal is delayed for a fixed time, so that it takes
// the same whether there is a key somewhere, or only a wrong proof.
type reclaiming struct{}

func (reclaiming) Enter(c *Core, s *session) {
	s.attempt.refuseAt = s.deadline
	c.claims.locate(s) // also when there is a key here and the proof is wrong: both must look the same
}

func (reclaiming) Leave(c *Core, s *session) { c.claims.abandon(s) }

func (reclaiming) Limit(*Options) time.Duration { return reclaimRefusal }

func (reclaiming) Step(c *Core, s *session, in Input) bool {
	switch in.Kind {
	case inputPassed:
		reconnected(c, s)
	case InputRegion:
		if in.Region.Place == nil {
			return false
		}
		c.claims.located(s, in.Region.Place)
	case inputOutcome:
		return c.claims.goOn(s, in.outcome)
	case inputDue:
		return c.claims.goesOn(s)
	case inputTimeOver:
		c.claims.timeOver(s)
	default:
		return false
	}
	return true
}
