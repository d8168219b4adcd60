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
	a := c.sessions.beginAttempt(s)
	if !c.stock.random(a.challenge[:]) {
		c.refuse(s, codec.ReplyReconnectChallenge, codec.ResultBusy)
		return
	}
	c.reply = codec.Reply{Kind: codec.ReplyReconnectChallenge, ReconnectData: a.challenge}
	c.send(s)
}

func (reproving) Leave(*Core, *session) {}

func (reproving) Limit(o *Options) time.Duration { return o.ProvingLimit }

// Process checks the proof here and not in the pool: it is one SHA-1.
func (reproving) Process(c *Core, s *session, m *codec.Message) {
	var none heldKey
	h := c.keys.find(s.name)
	if h == nil {
		h = &none // the same work and the same answer
	}
	want := srp6.ReconnectProof(s.name.Bytes(), &m.Reconnect.R1, &s.attempt.challenge, &h.key)
	if subtle.ConstantTimeCompare(want[:], m.Reconnect.R2[:]) != 1 || h == &none {
		c.signal(Signal{Kind: SignalReproofFailed, session: s})
		c.refuse(s, codec.ReplyReconnectProof, codec.ResultBadCredentials)
		return
	}
	if older := h.holder; older != 0 && older != s.conn {
		h.holder = s.conn // before the kick, so that the key does not go with it
		c.replace(older, "reconnect")
	}
	h.holder = s.conn
	c.become(s, StateChoosing)
	c.signal(Signal{Kind: SignalReconnected, session: s})
	c.reply = codec.Reply{Kind: codec.ReplyReconnectProof}
	c.send(s)
}
