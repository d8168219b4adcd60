package logic

import (
	"math"
	"time"

	"gatepass/codec"
	"gatepass/deadline"
)

// timers has the deadlines of the sessions.
//
// Ending a session takes some microseconds here and a close in its reactor, and many
// come due in one tick: those that were refused together, or all that are open when the
// machine wakes from a sleep. So sessions whose time is over wait in overdue and are ended
// a few with each tick, and the logins of others go on in between.
type timers struct {
	base
	desk      timerDesk
	deadlines deadline.Wheel[codec.Conn]
	overdue   deadline.Queue[codec.Conn]
}

// timerDesk is what the timers do with sessions.
type timerDesk interface {
	session(conn codec.Conn) *session
	// goesOn tells whether a session whose time has come has something else to do first;
	// then it has a new deadline.
	goesOn(s *session) bool
	// timeOver ends a session's time in its state.
	timeOver(s *session)
}

// armedOverdue is session.armed of one that is in timers.overdue.
const armedOverdue = -1

// set gives a session so long in its state from now.
func (t *timers) set(s *session, limit time.Duration) {
	t.setAt(s, t.now+limit.Milliseconds())
}

// setNever lets a session stay in its state for as long as it is connected.
func (t *timers) setNever(s *session) { s.deadline = math.MaxInt64 / 2 }

// setAt ends a session's time in its state at a time in milliseconds.
func (t *timers) setAt(s *session, at int64) {
	s.deadline = at
	if s.armed == 0 || deadline.TickOf(s.deadline) < s.armed {
		s.armed = t.deadlines.Arm(s.conn, s.deadline)
	}
}

// advance finds the sessions whose time is over.
func (t *timers) advance() { t.deadlines.Advance(t.now, t.expire) }

// expire looks at a session whose time may have come.
func (t *timers) expire(conn codec.Conn, tick int64) {
	s := t.desk.session(conn)
	if s == nil || s.armed != tick {
		return
	}
	if s.deadline > t.now {
		s.armed = t.deadlines.Arm(conn, s.deadline)
		return
	}
	if s.armed = 0; t.desk.goesOn(s) {
		return
	}
	s.armed = armedOverdue
	t.overdue.Push(conn, 0)
}

// endOverdue ends some of those whose time is over. A session from which something has
// come meanwhile has a new deadline.
func (t *timers) endOverdue() {
	waiting := t.overdue.Len()
	for n := min(max(overdueLeast, waiting/overdueShare), overdueMost, waiting); n > 0; n-- {
		conn, _ := t.overdue.Next(0)
		s := t.desk.session(conn)
		if s == nil || s.armed != armedOverdue {
			continue
		}
		if s.armed = 0; s.deadline > t.now {
			s.armed = t.deadlines.Arm(s.conn, s.deadline)
			continue
		}
		t.desk.timeOver(s)
	}
}

// waiting is how many sessions are to be ended.
func (t *timers) waiting() int { return t.overdue.Len() }
