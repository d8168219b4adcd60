package logic

import (
	"time"

	"gatepass/storage"
)

// The states of a client that is in, and of one that is on its way out.

// choosing shows a client the worlds.
type choosing struct{}

func (choosing) Enter(c *Core, s *session)               { c.sessions.endAttempt(s) }
func (choosing) Leave(*Core, *session)                   {}
func (choosing) Limit(o *Options) time.Duration          { return o.ChoosingLimit }
func (choosing) Step(c *Core, s *session, in Input) bool { return stepIn(c, s, in) }

// handingOff is a native client that has selected a world: its pass is on the way to
// the gate, or at the gate and unused.
type handingOff struct{}

func (handingOff) Enter(*Core, *session)                   {}
func (handingOff) Leave(*Core, *session)                   {}
func (handingOff) Limit(o *Options) time.Duration          { return o.ChoosingLimit }
func (handingOff) Step(c *Core, s *session, in Input) bool { return stepIn(c, s, in) }

// inWorld is a native client whose pass the gate has taken: it waits in the world's
// queue, or plays. It may keep this connection and select another world by it.
type inWorld struct{}

func (inWorld) Enter(*Core, *session)                   {}
func (inWorld) Leave(*Core, *session)                   {}
func (inWorld) Limit(o *Options) time.Duration          { return o.ChoosingLimit }
func (inWorld) Step(c *Core, s *session, in Input) bool { return stepIn(c, s, in) }

// stepIn is the step of a client that is in.
func stepIn(c *Core, s *session, in Input) bool {
	switch {
	case in.Kind == InputMessage:
		s.dialect().serve(c, s, in.Message)
	case in.Kind == inputPassed:
		c.selection.begin(s)
	case in.Kind == InputStored && in.Stored.Kind == storage.OpAddDevice && s.welcomed() && s.native.remembering != nil:
		nativeDialect{}.remembered(c, s, in.Stored)
	default:
		return false
	}
	return true
}

// leaving waits until the reactor says that the connection is closed. It takes nothing.
type leaving struct{}

func (leaving) Enter(c *Core, s *session)        { c.sessions.endAttempt(s) }
func (leaving) Leave(*Core, *session)            {}
func (leaving) Limit(*Options) time.Duration     { return leavingLimit }
func (leaving) Step(*Core, *session, Input) bool { return false }
