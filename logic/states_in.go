package logic

import (
	"time"

	"gatepass/codec"
)

// The states of a client that is in, and of one that is on its way out.

// choosing shows a client the worlds.
type choosing struct{}

func (choosing) Enter(c *Core, s *session)                     { c.sessions.endAttempt(s) }
func (choosing) Leave(*Core, *session)                         {}
func (choosing) Limit(o *Options) time.Duration                { return o.ChoosingLimit }
func (choosing) Process(c *Core, s *session, m *codec.Message) { s.dialect().serve(c, s, m) }

// handingOff is a native client that has selected a world: its pass is on the way to
// the gate, or at the gate and unused.
type handingOff struct{}

func (handingOff) Enter(*Core, *session)                         {}
func (handingOff) Leave(*Core, *session)                         {}
func (handingOff) Limit(o *Options) time.Duration                { return o.ChoosingLimit }
func (handingOff) Process(c *Core, s *session, m *codec.Message) { s.dialect().serve(c, s, m) }

// inWorld is a native client whose pass the gate has taken: it waits in the world's
// queue, or plays. It may keep this connection and select another world by it.
type inWorld struct{}

func (inWorld) Enter(*Core, *session)                         {}
func (inWorld) Leave(*Core, *session)                         {}
func (inWorld) Limit(o *Options) time.Duration                { return o.ChoosingLimit }
func (inWorld) Process(c *Core, s *session, m *codec.Message) { s.dialect().serve(c, s, m) }

// leaving waits until the reactor says that the connection is closed.
type leaving struct{}

func (leaving) Enter(c *Core, s *session) { c.sessions.endAttempt(s) }
func (leaving) Leave(*Core, *session)     {}

func (leaving) Limit(*Options) time.Duration { return leavingLimit }

// Process is never called: no message is valid here.
func (leaving) Process(*Core, *session, *codec.Message) {}
