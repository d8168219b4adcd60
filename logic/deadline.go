package logic

import (
	"math"
	"time"

	"gatepass/deadline"
)

// setDeadline gives a session so long in its state from now.
func (c *Core) setDeadline(s *session, limit time.Duration) {
	c.setDeadlineAt(s, c.now+limit.Milliseconds())
}

// setNoDeadline lets a session stay in its state for as long as it is connected.
func (c *Core) setNoDeadline(s *session) { s.deadline = math.MaxInt64 / 2 }

// setDeadlineAt ends a session's time in its state at a time in milliseconds.
func (c *Core) setDeadlineAt(s *session, at int64) {
	s.deadline = at
	if s.armed == 0 || deadline.TickOf(s.deadline) < s.armed {
		s.armed = c.deadlines.Arm(s.conn, s.deadline)
	}
}
