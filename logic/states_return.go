package logic

import (
	"crypto/subtle"
	"time"

	"gatepass/auth/srp6"
	"gatepass/codec"
)

// reproving lets a client in that still has the key of an earlier login. Every
// name gets a challenge, so that a stranger does not learn who is online.
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
	c.claims.locate(s) // also when there is a key here and the proof is wrong: it must look the same
}

func (reclaiming) Leave(c *Core, s *session) { c.claims.abandon(s) }

func (reclaiming) Limit(*Options) time.Duration { return reclaimRefusal }

func (reclaiming) Step(c *Core, s *session, in Input) bool {
	switch in.Kind {
	case inputPassed:
		reconnected(c, s)
	case inputDue:
		return c.claims.goesOn(s)
	case inputTimeOver:
		c.claims.timeOver(s)
	default:
		return false
	}
	return true
}
