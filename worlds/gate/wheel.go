package gate

import "time"

// tickEvery is how often the clock's tick must come: the grain of every
// deadline.
const tickEvery = 100 * time.Millisecond

// wheelSlots is the horizon of a wheel in ticks; what lies behind it comes up
// early and is armed again.
const wheelSlots = 1024

// wheel brings keys up at ticks. What comes up is a hint: whoever is called
// looks whether its time has really come and arms itself again if not. So a
// deadline that is put off, the common case, costs nothing.
type wheel[K any] struct {
	slots [wheelSlots][]K
	tick  int64 // the last tick that was run
}

// tickOf is the first tick at or after a time in milliseconds.
func tickOf(ms int64) int64 {
	grain := tickEvery.Milliseconds()
	return (ms + grain - 1) / grain
}

// arm brings k up at the tick of ms, at the next one if that is over, or at the
// horizon if it is further. It returns the tick.
func (w *wheel[K]) arm(k K, ms int64) int64 {
	at := min(max(tickOf(ms), w.tick+1), w.tick+wheelSlots-1)
	slot := &w.slots[at%wheelSlots]
	*slot = append(*slot, k)
	return at
}

// advance runs every tick up to the one of ms. up may arm again.
func (w *wheel[K]) advance(ms int64, up func(k K, tick int64)) {
	to := ms / tickEvery.Milliseconds()
	if w.tick == 0 {
		w.tick = to
	}
	for w.tick < to {
		w.tick++
		slot := &w.slots[w.tick%wheelSlots]
		for _, k := range *slot { // what is armed meanwhile goes to another slot
			up(k, w.tick)
		}
		*slot = (*slot)[:0]
	}
}
