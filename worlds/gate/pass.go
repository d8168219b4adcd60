package gate

import (
	"errors"

	"gatepass/worlds"
)

// Clients of the native protocol come with a pass that a login server has offered
// for them before. A pass lets one client in once and is not a key of the account:
// there is nothing to move back, and the directory is not told of it.

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

// present takes a client that comes with a pass: proves tells whether it has the
// pass's key. It lets the client in, into the world or the line.
func (c *core) present(s *session, pass worlds.PassID, proves func(h *held) bool) {
	s.attempt.started = c.now
	switch h := c.passes.Pass(pass); {
	case h == nil:
		c.turnAway(s, c.passRefusal(pass))
	case !proves(h):
		c.turnAway(s, RefusalProof) // the pass stays good for whom it is
	default:
		h, err := c.passes.Use(pass)
		if err != nil {
			panic("gate: a live pass cannot be used")
		}
		c.count.passesUsed.Add(1)
		s.account = h.Account
		c.proven(s, h)
	}
}

// passRefusal is what is wrong with a pass that is not live here. One that was
// meant for another world, or is over for long, is not known here.
func (c *core) passRefusal(pass worlds.PassID) Refusal {
	if _, err := c.passes.Use(pass); errors.Is(err, worlds.ErrUsed) {
		return RefusalPassUsed
	}
	return RefusalUnknown
}
