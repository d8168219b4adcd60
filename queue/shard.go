package queue

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Limits bound one shard, in items.
type Limits struct {
	// New is the length from which PushNew refuses, at most Hard.
	New int
	// Hard is the length from which every push refuses.
	Hard int
}

// Shard is one producer's queue to a consumer. Items are copied in. The slices that hold them
// are reused, so an item is not valid after the consumer's next Swap.
type Shard[T any] struct {
	// static after construction
	consumer *Consumer
	index    int
	limits   Limits
	room     func()

	// guarded by mu
	mu      sync.Mutex
	filling []T
	starved bool // a push was refused at the hard limit since the last swap
	closed  bool // drops every item from now on
	waiters *sync.Cond

	// owned by the consumer
	taken []T

	refused atomic.Uint64
	pushed  atomic.Uint64 // written by the consumer, at each swap

	_ [64]byte // keeps the next shard's lock off this one's cache line
}

// NewShard adds a shard to a consumer. Add all shards before the first push. It panics beyond
// MaxShards or if New is above Hard, which are both bugs of the caller.
//
// room, if not nil, is called on the consumer's goroutine after a swap, if a push was refused
// at the hard limit since the swap before: there is room again. It must not block.
func NewShard[T any](c *Consumer, l Limits, room func()) *Shard[T] {
	if c.shards == MaxShards || l.New <= 0 || l.New > l.Hard {
		panic("queue: too many shards, or limits out of order")
	}
	s := &Shard[T]{consumer: c, index: c.shards, limits: l, room: room}
	s.waiters = sync.NewCond(&s.mu)
	c.shards++
	return s
}

// Index returns the shard's number at its consumer, as Ready.Next returns it.
func (s *Shard[T]) Index() int { return s.index }

// Push copies *v in. It returns false, and takes nothing, when the shard is at its hard limit.
// A closed shard accepts everything and drops it. Any goroutine; the items of one goroutine
// stay in order.
func (s *Shard[T]) Push(v *T) bool { return s.push(v, s.limits.Hard) }

// PushNew is Push for new work that may be refused earlier, so that work in progress still
// finds room.
func (s *Shard[T]) PushNew(v *T) bool { return s.push(v, s.limits.New) }

func (s *Shard[T]) push(v *T, limit int) bool {
	s.mu.Lock()
	n := len(s.filling)
	if s.closed {
		s.mu.Unlock()
		return true
	}
	if n >= limit {
		s.starved = s.starved || n >= s.limits.Hard
		s.mu.Unlock()
		s.refused.Add(1)
		return false
	}
	if n == cap(s.filling) {
		s.filling = slices.Grow(s.filling, 1)
	}
	// append(s.filling, *v) would copy the item twice.
	s.filling = s.filling[:n+1]
	s.filling[n] = *v
	s.mu.Unlock()
	if n == 0 {
		s.consumer.announce(1 << s.index)
	}
	return true
}

// PushAll copies as many of vs in as there is room for, in order and under one lock, and
// returns how many. Any goroutine.
func (s *Shard[T]) PushAll(vs []T) int {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return len(vs)
	}
	n := len(s.filling)
	took := min(len(vs), max(0, s.limits.Hard-n))
	s.filling = append(s.filling, vs[:took]...)
	s.starved = s.starved || took < len(vs)
	s.mu.Unlock()
	if n == 0 && took > 0 {
		s.consumer.announce(1 << s.index)
	}
	s.refused.Add(uint64(len(vs) - took))
	return took
}

// PushAllWait is PushAll for a producer that may wait for room and whose items must not be
// lost. It returns when all items are in or the shard is closed. Never call it from the
// consumer's goroutine.
func (s *Shard[T]) PushAllWait(vs []T) {
	for {
		vs = vs[s.PushAll(vs):]
		if len(vs) == 0 {
			return
		}
		s.mu.Lock()
		for len(s.filling) >= s.limits.Hard && !s.closed {
			s.starved = true // in each iteration: others may have filled the room
			s.waiters.Wait()
		}
		s.mu.Unlock()
	}
}

// Close drops all items that wait and all later ones, and releases waiting producers. It is
// called when the consumer has ended. Any goroutine.
func (s *Shard[T]) Close() {
	s.mu.Lock()
	s.closed = true
	s.filling = nil
	s.mu.Unlock()
	s.waiters.Broadcast()
}

// Swap returns all items that were pushed, in order. The slice is valid until the next Swap.
// The consumer's goroutine only.
func (s *Shard[T]) Swap() []T {
	s.mu.Lock()
	s.taken, s.filling = s.filling, s.taken[:0]
	starved := s.starved
	s.starved = false
	s.mu.Unlock()
	if starved {
		s.waiters.Broadcast()
		if s.room != nil {
			s.room()
		}
	}
	s.pushed.Add(uint64(len(s.taken)))
	return s.taken
}

// ShardStats are a shard's counters.
type ShardStats struct {
	// Len is how many items wait now, Taken how many the consumer has taken, Refused how many
	// pushes found no room.
	Len            int
	Taken, Refused uint64
}

// Stats returns the counters. Any goroutine.
func (s *Shard[T]) Stats() ShardStats {
	s.mu.Lock()
	n := len(s.filling)
	s.mu.Unlock()
	return ShardStats{Len: n, Taken: s.pushed.Load(), Refused: s.refused.Load()}
}
