package deadline

import "time"

// Every is how often the clock's tick must come: the grain of every deadline.
const Every = 100 * time.Millisecond

// horizon is how far ahead a wheel reaches, in ticks: a minute and three quarters.
const horizon = 1024

// Wheel wakes keys up at ticks. The zero value is ready; its first call must be
// Advance. It belongs to one goroutine.
//
// An entry is a hint. A key whose deadline lies behind the horizon is woken at the
// horizon, and one whose deadline was put off is woken at the old time: the callback
// must look whether the time has come, and arm the key again if not. So a deadline
// that moves away, the common case, costs nothing, and the entry of a key that is gone
// stays for the length of the horizon at most.
//
// A step of the time costs what the entries cost that it wakes, and at most one look
// at each slot, however far it goes.
type Wheel[K any] struct {
	slots [horizon][]entry[K]
	tick  int64 // the last tick that was run
	spare []entry[K]
}

// entry is a key and the tick at which it is woken. Invariant: in the slot of its
// tick.
type entry[K any] struct {
	key K
	at  int64
}

// TickOf returns the first tick at or after a time in milliseconds.
func TickOf(ms int64) int64 {
	grain := Every.Milliseconds()
	return (ms + grain - 1) / grain
}

// Arm has k woken at the tick of ms, at the next tick if that has passed, or at the
// horizon if it is further. It returns the tick.
func (w *Wheel[K]) Arm(k K, ms int64) int64 {
	at := min(max(TickOf(ms), w.tick+1), w.tick+horizon-1)
	slot := &w.slots[at%horizon]
	*slot = append(*slot, entry[K]{k, at})
	return at
}

// Advance moves the time to ms and calls wake for each entry whose tick has come,
// with that tick. wake may arm again. A time before the last one does nothing.
func (w *Wheel[K]) Advance(ms int64, wake func(k K, tick int64)) {
	from, to := w.tick, ms/Every.Milliseconds()
	if from == 0 {
		from = to
	}
	if to < from {
		return
	}
	w.tick = to // what wake arms comes after it
	for at := max(from, to-horizon) + 1; at <= to; at++ {
		w.run(&w.slots[at%horizon], wake)
	}
}

// run wakes the entries of one slot whose tick has come. What is armed meanwhile goes
// into the slot's new slice.
func (w *Wheel[K]) run(slot *[]entry[K], wake func(k K, tick int64)) {
	if len(*slot) == 0 {
		return
	}
	due := *slot
	*slot, w.spare = w.spare[:0], nil
	for _, e := range due {
		if e.at <= w.tick {
			wake(e.key, e.at)
		} else {
			*slot = append(*slot, e) // armed by an entry that the same step woke
		}
	}
	clear(due)
	w.spare = due[:0]
}
