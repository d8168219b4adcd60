package logic

import (
	"gatepass/codec"
	"gatepass/worlds"
)

// push is when the list of worlds is sent unasked to those who are choosing. A
// change goes out at once, but not more often than once a tick; what only the
// figures of load have changed waits for the refresh.
type push struct {
	// due says that there is something to send, from at on, in milliseconds.
	due bool
	at  int64
	// last is when the last one was sent.
	last int64
}

// pushAt sends the list at that time, at once if it has passed.
func (c *Core) pushAt(at int64) {
	if !c.options.PushWorlds || c.push.due && c.push.at <= at {
		return
	}
	c.push.due, c.push.at = true, at
	c.pushDue()
}

// pushDue sends what has waited for its time.
func (c *Core) pushDue() {
	if c.push.due && c.push.at <= c.now {
		c.pushLists()
	}
}

// pushLists sends the list to everybody who is choosing. Those who see the same
// share one encoding and one entry of the send queue.
func (c *Core) pushLists() {
	c.push = push{last: c.now}
	groups := make(map[*byte]*pushGroup)
	var order []*pushGroup // of first appearance: a scenario plays the same again
	c.sessions.each(func(s *session) {
		if s.state != StateChoosing {
			return
		}
		frame, err := c.frameFor(s)
		if err != nil {
			return // said when the client asks
		}
		if len(s.characters) > 0 {
			c.sendFrame(s, frame)
			return
		}
		g := groups[&frame[0]]
		if g == nil {
			g = &pushGroup{frame: frame}
			groups[&frame[0]], order = g, append(order, g)
		}
		g.targets = append(g.targets, s.conn)
	})
	for _, g := range order {
		c.count.pushed.Add(uint64(len(g.targets)))
		if !c.ports.Out.Broadcast(g.targets, g.frame) {
			c.push.due = true // again at the next tick
		}
	}
}

// pushGroup are those who see the same.
type pushGroup struct {
	frame   []byte
	targets []codec.Conn
}

func (c *Core) frameFor(s *session) ([]byte, error) {
	return c.ports.Worlds.FrameFor(worlds.Ask{Build: s.build, Peer: s.peer, Characters: s.characters})
}

func (c *Core) sendFrame(s *session, frame []byte) {
	if !c.ports.Out.SendFrame(s.conn, frame) {
		c.hangUp(s, codec.CloseOverload)
	}
}
