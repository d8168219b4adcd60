package deadline

import "time"

// Every is how often the owner must advance the time, and so the resolution of every deadline.
const Every = 100 * time.Millisecond

// horizon is how far ahead a wheel reaches, in ticks: about 102 s.
const horizon = 1024

// Wheel wakes keys at ticks. The zero value is ready to use; its first call must be Advance.
// It belongs to one goroutine.
//
// An entry is only a hint. A key with a deadline beyond the horizon is woken at the horizon. A
// key whose deadline has moved is woken at the old time. The callback must check whether the
// deadline has passed, and arm the key again if not. A deadline that moves to a later time,
// the common case, therefore costs nothing. The entry of a removed key stays until its tick,
// at most for the length of the horizon.
//
// One Advance costs what its woken entries cost, plus one check of each slot at most, however
// far the time moves.
type Wheel[K any] struct {
	slots [horizon][]entry[K]
	tick  int64 // the last tick that was run
	spare []entry[K]
}

// entry is a key and the tick at which it is woken. Invariant: it is in the slot of its tick.
type entry[K any] struct {
	key K
	at  int64
}

// TickOf returns the first tick at or after a time in milliseconds.
func TickOf(ms int64) int64 {
	grain := Every.Milliseconds()
	return (ms + grain - 1) / grain
}

// Arm schedules k for the tick of ms, for the next tick if that has passed, or for the horizon
// if it is further away. It returns the tick.
func (w *Wheel[K]) Arm(k K, ms int64) int64 {
	at := min(max(TickOf(ms), w.tick+1), w.tick+horizon-1)
	slot := &w.slots[at%horizon]
	*slot = append(*slot, entry[K]{k, at})
	return at
}

// Advance moves the time to ms and calls wake for each entry whose tick has come, with that
// tick. wake may arm keys again. A time before the last one has no effect.
func (w *Wheel[K]) Advance(ms int64, wake func(k K, tick int64)) {
	from, to := w.tick, ms/Every.Milliseconds()
	if from == 0 {
		from = to
	}
	if to < from {
		return
	}
	w.tick = to // so that wake arms keys for later ticks
	for at := max(from, to-horizon) + 1; at <= to; at++ {
		w.run(&w.slots[at%horizon], wake)
	}
}

// run wakes the entries of one slot whose tick has come. Keys that are armed meanwhile go into
// the slot's new slice.
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
			*slot = append(*slot, e) // armed by an entry of the same step
		}
	}
	clear(due)
	w.spare = due[:0]
}
