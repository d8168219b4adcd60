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
	switch m.Kind {
	case codec.KindPasswordProof:
		c.passwordProven(s, m.Native)
		return
	case codec.KindTokenProof:
		c.tokenProven(s, m.Native)
		return
	}
	a := s.attempt
	a.exchange.A, a.exchange.M1, a.files = m.Proof.A, m.Proof.M1, m.Proof.CRCHash
	// Factors are looked at once the password is proven (filters.go), whatever
	// came: a refusal here would tell which account has one.
	a.sent = m.Proof.Factors
	if a.factor != nil {
		a.factor.take(&m.Proof)
	}
	c.become(s, StateVerifying)
}
