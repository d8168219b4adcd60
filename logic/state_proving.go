package logic

import (
	"time"

	"gatepass/codec"
)

// proving waits for the client's proof.
type proving struct{}

func (proving) Enter(*Core, *session) {}
func (proving) Leave(*Core, *session) {}

func (proving) Limit(o *Options) time.Duration { return o.ProvingLimit }

func (proving) Process(c *Core, s *session, m *codec.Message) {
	if m.Proof.Factors != 0 {
		// None was asked for; what was not asked for is not looked at.
		c.refuse(s, codec.ReplyLogonProof, codec.ResultBadCredentials)
		return
	}
	s.attempt.exchange.A = m.Proof.A
	s.attempt.exchange.M1 = m.Proof.M1
	c.become(s, StateVerifying)
}
