// Package deadline wakes whoever has a deadline, at the ticks of a clock that its
// owner feeds: the logic of a login server and a world's gate have thousands of
// deadlines each, of which nearly all are put off before they come.
package deadline

import "time"

// Every is how often the clock's tick must come: the grain of every deadline.
const Every = 100 * time.Millisecond

// horizon is that of a wheel in ticks; what lies behind it is put off
// once around.
const horizon = 1024

// Wheel wakes keys up at ticks. An entry is a hint: whoever is woken looks
// whether its time has really come and arms itself again if not. So a deadline
// that moves away, the common case, costs nothing.
type Wheel[K any] struct {
	slots [horizon][]K
	tick  int64 // the last tick that was run
}

// TickOf is the first tick at or after a time in milliseconds.
func TickOf(ms int64) int64 {
	grain := Every.Milliseconds()
	return (ms + grain - 1) / grain
}

// Arm wakes k at the tick of ms, at the next tick if that has passed, or at the
// horizon if it is further. It returns the tick.
func (w *Wheel[K]) Arm(k K, ms int64) int64 {
	at := min(max(TickOf(ms), w.tick+1), w.tick+horizon-1)
	slot := &w.slots[at%horizon]
	*slot = append(*slot, k)
	return at
}

// Advance runs every tick up to the one of ms, calling wake for each entry that
// comes up. wake may arm again.
func (w *Wheel[K]) Advance(ms int64, wake func(k K, tick int64)) {
	to := ms / Every.Milliseconds()
	if w.tick == 0 {
		w.tick = to
	}
	for w.tick < to {
		w.tick++
		slot := &w.slots[w.tick%horizon]
		// An entry armed while these are run goes to a later slot.
		for _, k := range *slot {
			wake(k, w.tick)
		}
		*slot = (*slot)[:0]
	}
}
