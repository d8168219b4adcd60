package gate

import (
	"fmt"
	"runtime/debug"
)

// enter admits a client to the world. waited is its former place in the queue, or nil.
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
	if s.state == StateInside { // false if there was no room for the reply
		s.entered = true
		c.progress(s, 0)
		c.callEntered(s)
	}
}

// left tells the game that a player is gone. It is called when the session leaves
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

// player returns the Player of a session.
func (c *core) player(s *session) Player {
	return Player{conn: s.conn, account: s.account, build: s.build, native: s.native, door: c.ports.door}
}

// Calls of the handler. A panic in the handler ends only that player's session.

func (c *core) callEntered(s *session) {
	defer c.rescueGame(s)
	c.options.Handler.Entered(c.player(s))
}

func (c *core) callPacket(s *session, opcode uint32, body []byte) {
	defer c.rescueGame(s)
	c.options.Handler.Packet(c.player(s), opcode, body)
}

func (c *core) callLeft(s *session) {
	defer c.rescueGame(nil) // the session is already ending
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
