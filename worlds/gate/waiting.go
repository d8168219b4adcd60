package gate

import (
	"gatepass/codec"
	"gatepass/codec/world"
)

// queue adds a client to the end of the queue.
func (c *core) queue(s *session) {
	w := c.line.join(s.account, c.options.Class(s.account.String()), s.conn)
	w.since = c.now
	c.becomeWaiting(s, w)
}

// becomeWaiting sends a client its first position.
func (c *core) becomeWaiting(s *session, w *waiter) {
	reply := c.firstPlace(s, w.position)
	w.shown, w.native = w.position, s.native
	c.become(s, StateWaiting)
	c.reply(s, &reply)
	if s.state == StateWaiting { // false if there was no room for the reply
		c.progress(s, w.position)
	}
}

// heardInLine handles a message of a waiting client: it only keeps the connection
// alive.
func (c *core) heardInLine(s *session, m *codec.WorldMessage) {
	if m.Opcode != world.CMSGPing {
		c.count.ignored.Add(1)
		return
	}
	if pong, ok := pongOf(m.Body); ok {
		c.send(s, codec.ReplyWorldPacket, &codec.WorldReply{Opcode: world.SMSGPong, Body: pong})
	}
}

// keepPlace keeps the place of a client whose connection is closed.
// (Options.QueueGrace)
func (c *core) keepPlace(s *session) {
	w := c.line.find(s.account)
	if w == nil || w.conn != s.conn {
		return
	}
	grace := c.options.QueueGrace.Milliseconds()
	if grace == 0 {
		c.line.leave(w)
		return
	}
	c.line.away(w, c.now+grace)
	w.origin = s.origin
	if w.armed == 0 {
		w.armed = c.absences.Arm(w.account, w.until)
	}
}

// expirePlace checks whether a place has expired.
func (c *core) expirePlace(account codec.Name, tick int64) {
	w := c.line.find(account)
	if w == nil || w.armed != tick {
		return
	}
	w.armed = 0
	switch {
	case w.conn != 0:
	case w.until <= c.now:
		c.line.leave(w)
		c.count.placesLost.Add(1)
	default:
		w.armed = c.absences.Arm(account, w.until)
	}
}

// fill admits as many waiting clients as there is room for.
func (c *core) fill() {
	for !c.draining && c.inside < int(c.options.World.Capacity) {
		w := c.line.take()
		if w == nil {
			return
		}
		c.enter(c.sessionOf(w.conn), w)
	}
}

// tellPositions sends new positions to clients in the queue. Those near the front get
// theirs at once; the others take turns, so that the work per second is limited.
func (c *core) tellPositions() {
	c.moved = c.moved[:0]
	last := uint32(0)
	c.line.countPositions(func(w *waiter) {
		if w.conn == 0 || w.position == w.shown || len(c.moved) == positionsAtOnce {
			return
		}
		if w.position > positionsFront && w.position < c.turn {
			return
		}
		c.moved = append(c.moved, w)
		last = w.position
	})
	c.turn = 0
	if len(c.moved) == positionsAtOnce {
		c.turn = last + 1
	}
	for _, w := range c.moved {
		reply := placeReply(w)
		if !c.ports.out.Send(w.conn, &reply) {
			break // they get it the next time
		}
		if w.native {
			c.progress(c.sessionOf(w.conn), w.position)
		}
		w.shown = w.position
		c.count.positionsTold.Add(1)
	}
	clear(c.moved)
}
