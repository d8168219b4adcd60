package logic

import (
	"time"

	"gatepass/codec"
)

// confirming waits for a native client's second factor. It is asked for once the
// password is proven, over the sealed channel: so no name tells a stranger whether
// its account has one, and no code is seen on the way.
type confirming struct{}

func (confirming) Enter(c *Core, s *session) {
	f := s.attempt.factor
	f.asked = codec.FactorPIN
	if f.token {
		f.asked = codec.FactorToken
	}
	c.reply = codec.Reply{Kind: codec.ReplyFactorWanted, Factors: f.asked}
	c.send(s)
}

func (confirming) Leave(*Core, *session) {}

func (confirming) Limit(o *Options) time.Duration { return o.ProvingLimit }

func (confirming) Process(c *Core, s *session, m *codec.Message) {
	a := s.attempt
	a.factor.confirm(m.Native)
	a.sent = a.factor.asked
	c.raise(Event{Kind: EventLoginRequested, conn: s.conn})
}
