package gate

import (
	"errors"

	"gatepass/worlds"
)

// takes tells whether a pass that a login server offers is welcome. A full world
// takes passes as long as there is room in its line.
func (c *core) takes(from worlds.Node, _ *worlds.Move) worlds.Reason {
	switch {
	case from.Kind() != worlds.KindLogin:
		return worlds.ReasonForeign
	case c.draining || c.line.len() >= c.options.MaxQueue || c.passes.Len() >= c.options.maxKeys():
		return worlds.ReasonFull
	}
	return worlds.ReasonNone
}

// present takes a client that comes with a pass, as those of the native protocol
// do: proves tells whether the client has the pass's key. It lets it in, into the
// world or the line, once.
func (c *core) present(s *session, pass worlds.PassID, proves func(h *held) bool) {
	s.attempt.started = c.now
	h := c.passes.Pass(pass)
	if h == nil {
		c.turnAway(s, c.passRefusal(pass))
		return
	}
	if !proves(h) {
		c.turnAway(s, RefusalProof) // the pass stays good for whom it is
		return
	}
	h, err := c.passes.Use(pass)
	if err != nil {
		c.turnAway(s, RefusalExpired)
		return
	}
	c.count.passesUsed.Add(1)
	s.account = h.Account
	c.proven(s, h)
}

// passRefusal is what is wrong with a pass that is not good here.
func (c *core) passRefusal(pass worlds.PassID) Refusal {
	switch _, err := c.passes.Use(pass); {
	case errors.Is(err, worlds.ErrUsed):
		return RefusalPassUsed
	default:
		return RefusalUnknown
	}
}
