package logic

import (
	"time"

	"gatepass/codec"
)

// choosing shows a proven client the worlds, as often as it asks.
type choosing struct{}

func (choosing) Enter(c *Core, s *session) { c.sessions.endAttempt(s) }
func (choosing) Leave(*Core, *session)     {}

func (choosing) Limit(o *Options) time.Duration { return o.ChoosingLimit }

func (choosing) Process(c *Core, s *session, m *codec.Message) {
	if s.native != nil {
		c.inPlay(s, m)
		return
	}
	frame, err := c.frameFor(s)
	if err != nil {
		c.options.Logger.Error("list of worlds could not be made", "build", s.build, "error", err)
		c.hangUp(s, codec.CloseFault)
		return
	}
	c.setDeadline(s, c.options.ChoosingLimit)
	c.sendFrame(s, frame)
}

// leaving waits for the reactor's word that the connection is closed.
type leaving struct{}

func (leaving) Enter(c *Core, s *session) { c.sessions.endAttempt(s) }
func (leaving) Leave(*Core, *session)     {}

func (leaving) Limit(*Options) time.Duration { return leavingLimit }

// Process is never called: no message is valid here.
func (leaving) Process(*Core, *session, *codec.Message) {}
