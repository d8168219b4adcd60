package logic

import (
	"time"

	"gatepass/codec"
)

// handingOff is a native client that has picked a world: its pass is on the way to
// the gate, or there and waits for it.
type handingOff struct{}

func (handingOff) Enter(*Core, *session)                         {}
func (handingOff) Leave(*Core, *session)                         {}
func (handingOff) Limit(o *Options) time.Duration                { return o.ChoosingLimit }
func (handingOff) Process(c *Core, s *session, m *codec.Message) { c.inPlay(s, m) }

// boarded is a native client whose pass the gate has taken: it waits in the world's
// queue, or plays. It may keep this connection and pick another world by it.
type boarded struct{}

func (boarded) Enter(*Core, *session)                         {}
func (boarded) Leave(*Core, *session)                         {}
func (boarded) Limit(o *Options) time.Duration                { return o.ChoosingLimit }
func (boarded) Process(c *Core, s *session, m *codec.Message) { c.inPlay(s, m) }
