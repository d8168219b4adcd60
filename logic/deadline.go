package logic

import "time"

// wheelSlots is the horizon of a wheel in ticks; what lies behind it is put off
// once around.
const wheelSlots = 1024

// wheel wakes keys up at ticks. An entry is a hint: whoever is woken looks
// whether its time has really come and arms itself again if not. So a deadline
// that moves away, the common case, costs nothing.
type wheel[K any] struct {
	slots [wheelSlots][]K
	tick  int64 // the last tick that was run
}

// tickOf is the first tick at or after a time in milliseconds.
func tickOf(ms int64) int64 {
	grain := TickEvery.Milliseconds()
	return (ms + grain - 1) / grain
}

// arm wakes k at the tick of ms, at the next tick if that has passed, or at the
// horizon if it is further. It returns the tick.
func (w *wheel[K]) arm(k K, ms int64) int64 {
	at := min(max(tickOf(ms), w.tick+1), w.tick+wheelSlots-1)
	slot := &w.slots[at%wheelSlots]
	*slot = append(*slot, k)
	return at
}

// advance runs every tick up to the one of ms, calling wake for each entry that
// comes up. wake may arm again.
func (w *wheel[K]) advance(ms int64, wake func(k K, tick int64)) {
	to := ms / TickEvery.Milliseconds()
	if w.tick == 0 {
		w.tick = to
	}
	for w.tick < to {
		w.tick++
		slot := &w.slots[w.tick%wheelSlots]
		// An entry armed while these are run goes to a later slot.
		for _, k := range *slot {
			wake(k, w.tick)
		}
		*slot = (*slot)[:0]
	}
}

// setDeadline gives a session so long in its state from now.
func (c *Core) setDeadline(s *session, limit time.Duration) {
	c.setDeadlineAt(s, c.now+limit.Milliseconds())
}

// setDeadlineAt ends a session's time in its state at a time in milliseconds.
func (c *Core) setDeadlineAt(s *session, at int64) {
	s.deadline = at
	if s.armed == 0 || tickOf(s.deadline) < s.armed {
		s.armed = c.deadlines.arm(s.conn, s.deadline)
	}
}
