package gate

import (
	"fmt"
	"runtime/debug"
)

// enter lets a client in; waited is the place that it had in line, nil for none.
func (c *core) enter(s *session, waited *waiter) {
	reply := c.admission(s)
	c.inside++
	c.become(s, StateInside)
	c.count.entered.Add(1)
	if waited != nil {
		c.count.waited.Add(1)
		c.count.waitedMillis.Add(uint64(c.now - waited.since))
	}
	c.reply(s, &reply)
	if s.state == StateInside { // there was room for the reply
		s.entered = true
		c.progress(s, 0)
		c.callEntered(s)
	}
}

// left tells the game that a player is gone. It is called as the session leaves
// StateInside.
func (c *core) left(s *session) {
	c.inside--
	c.count.left[s.why].Add(1)
	if s.entered {
		c.callLeft(s)
	}
	if c.draining && c.inside == 0 {
		c.tellDrained()
	}
}

func (c *core) tellDrained() {
	if !c.drained {
		c.drained = true
		c.ports.drained()
	}
}

// player is what the game knows a session by.
func (c *core) player(s *session) Player {
	return Player{conn: s.conn, account: s.account, build: s.build, native: s.native, door: c.ports.door}
}

// The calls of the handler. A panic of its costs the player and nobody else.

func (c *core) callEntered(s *session) {
	defer c.rescueGame(s)
	c.options.Handler.Entered(c.player(s))
}

func (c *core) callPacket(s *session, opcode uint32, body []byte) {
	defer c.rescueGame(s)
	c.options.Handler.Packet(c.player(s), opcode, body)
}

func (c *core) callLeft(s *session) {
	defer c.rescueGame(nil) // the session is on its way out already
	c.options.Handler.Left(c.player(s), s.why)
}

func (c *core) rescueGame(s *session) {
	p := recover()
	if p == nil {
		return
	}
	c.count.panics.Add(1)
	c.options.Logger.Error("panic in the handler; the player was sent away",
		"panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
	if s != nil {
		c.sendAway(s, LeftFault)
	}
}
