package queue

import (
	"math/bits"
	"runtime"
	"sync/atomic"
)

// MaxShards is how many shards one consumer can have: a bit each in one word,
// less the sleep bit.
const MaxShards = 63

// sleepBit is set while the consumer sleeps or is about to.
const sleepBit = uint64(1) << 63

// Consumer is the receiving end of a set of shards. All of its methods but
// Stats may be called from the consuming goroutine only.
type Consumer struct {
	// static after construction
	looks int
	wake  chan struct{} // one slot

	// shared by all producers and the consumer
	word atomic.Uint64

	// written by the consumer, read by Stats
	sleeps atomic.Uint64
	rounds atomic.Uint64

	// owned by whoever builds the shards, before any Push
	shards int
}

// NewConsumer makes a consumer. looks is how often Wait looks again, yielding
// its processor in between, before it sleeps: each look costs some 50 ns to
// 200 ns, a sleep and a wake-up several microseconds.
func NewConsumer(looks int) *Consumer {
	return &Consumer{looks: looks, wake: make(chan struct{}, 1)}
}

// Ready is a set of shards that have work.
type Ready uint64

// Next takes the lowest shard out of the set; ok is false when it is empty.
func (r *Ready) Next() (index int, ok bool) {
	if *r == 0 {
		return 0, false
	}
	index = bits.TrailingZeros64(uint64(*r))
	*r &= *r - 1
	return index, true
}

// Wait returns the shards that have work, sleeping until there is one. It never
// returns an empty set, and never sleeps while a push that has returned is
// unseen.
func (c *Consumer) Wait() Ready {
	c.rounds.Add(1)
	for range c.looks {
		if r := c.Poll(); r != 0 {
			return r
		}
		runtime.Gosched()
	}
	for {
		if r := c.Poll(); r != 0 {
			return r
		}
		// The bit can only be set over an empty word: a push that came since
		// makes this fail, a push that comes later sees the bit.
		if !c.word.CompareAndSwap(0, sleepBit) {
			continue
		}
		c.sleeps.Add(1)
		<-c.wake
	}
}

// Poll returns the shards that have work, possibly none, without sleeping.
func (c *Consumer) Poll() Ready {
	if c.word.Load() == 0 {
		return 0
	}
	return Ready(c.word.Swap(0))
}

// announce marks a shard as filled and wakes the consumer if it sleeps. Any
// goroutine.
func (c *Consumer) announce(bit uint64) {
	if c.word.Or(bit)&sleepBit == 0 {
		return
	}
	// Several producers may see the bit; the one that clears it wakes.
	if c.word.And(^sleepBit)&sleepBit != 0 {
		c.wake <- struct{}{} // cannot block: one sleep, one wake
	}
}

// ConsumerStats counts a consumer's rounds. Any goroutine.
type ConsumerStats struct {
	// Rounds is how often Wait was called, Sleeps how often it slept: their
	// ratio tells how well wake-ups are shared.
	Rounds, Sleeps uint64
}

// Stats reads the counters; any goroutine.
func (c *Consumer) Stats() ConsumerStats {
	return ConsumerStats{Rounds: c.rounds.Load(), Sleeps: c.sleeps.Load()}
}
