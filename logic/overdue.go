package logic

import (
	"time"

	"gatepass/codec"
)

// Ending a session takes some microseconds here and a close in its reactor, and many
// come due in one tick: those that were refused together, or all that are open when the
// machine wakes from a sleep. So sessions whose time is over wait in Core.overdue and
// are ended a few with each tick, and the logins of others go on in between.

// armedOverdue is session.armed of one that is in Core.overdue.
const armedOverdue = -1

// expire looks at a session whose time may have come.
func (c *Core) expire(conn codec.Conn, tick int64) {
	s := c.sessions.get(conn)
	if s == nil || s.armed != tick {
		return
	}
	if s.deadline > c.now {
		s.armed = c.deadlines.Arm(conn, s.deadline)
		return
	}
	if s.armed = 0; s.state == StateReclaiming && c.asksOn(s) {
		return
	}
	s.armed = armedOverdue
	c.overdue.Push(conn, 0)
}

// endOverdue ends some of those whose time is over. Whoever has spoken since it was
// found so has a new time.
func (c *Core) endOverdue() {
	waiting := c.overdue.Len()
	for n := min(max(overdueLeast, waiting/overdueShare), overdueMost, waiting); n > 0; n-- {
		conn, _ := c.overdue.Next(0)
		s := c.sessions.get(conn)
		if s == nil || s.armed != armedOverdue {
			continue
		}
		if s.armed = 0; s.deadline > c.now {
			s.armed = c.deadlines.Arm(s.conn, s.deadline)
			continue
		}
		c.timeOver(s)
	}
}

// timeOver ends a session's time in its state.
func (c *Core) timeOver(s *session) {
	if s.state == StateReclaiming {
		if !c.asksOn(s) {
			c.notReclaimed(s)
		}
		return
	}
	c.end(s, endIdle)
}

// Pace returns how long after a tick the next one should come: PaceEvery while there
// are sessions to be ended, TickEvery else. Anywhere.
func (c *Core) Pace() time.Duration {
	if c.count.overdue.Load() > 0 || c.count.inState[StateReclaiming].Load() > 0 {
		return PaceEvery
	}
	return TickEvery
}
