package queue

import (
	"math/bits"
	"sync/atomic"
)

// MaxShards is how many shards one consumer can have: a bit each in one word,
// less the sleep bit.
const MaxShards = 63

// sleepBit is set while the consumer sleeps or is about to.
const sleepBit = uint64(1) << 63

// lentRounds is how many rounds a producer runs on the consumer's behalf before
// it passes the work to the consumer's own goroutine: enough for an answer to
// one message, too few to keep a producer from its own work.
const lentRounds = 2

// Consumer is the receiving end of a set of shards.
//
// One goroutine at a time runs it: its own, which called Run, or, with lending,
// the producer that found it asleep. Who clears the sleep bit is the one; so the
// rounds follow each other as if on one goroutine, and what they touch needs no
// lock. Lending is for a consumer whose rounds are short: when there is little
// to do, a message is then dealt with on the thread that brought it, and nobody
// is woken. When there is much to do the consumer does not sleep, and its own
// goroutine does everything.
type Consumer struct {
	// static after construction, or, for round, after Run began
	options ConsumerOptions
	wake    chan struct{} // one slot
	round   func(Ready) (more bool)

	// shared by all producers and the consumer
	word atomic.Uint64

	// owned by whoever runs the consumer
	ended bool

	// written by who runs it, read by Stats
	sleeps atomic.Uint64
	rounds atomic.Uint64
	lent   atomic.Uint64

	// owned by whoever builds the shards, before any Push
	shards int
}

// ConsumerOptions configure a Consumer.
type ConsumerOptions struct {
	// Lend lets a producer that finds the consumer asleep run its rounds. A
	// round must then not block, and no producer may push while it holds a lock
	// that a round takes.
	Lend bool
}

// NewConsumer makes a consumer without shards.
func NewConsumer(o ConsumerOptions) *Consumer {
	return &Consumer{options: o, wake: make(chan struct{}, 1)}
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

// Run calls round with the shards that have work, never with an empty set,
// until it returns false; it sleeps while there is none. It never sleeps while
// a push that has returned is unseen. Call it once, on the consumer's goroutine.
func (c *Consumer) Run(round func(Ready) (more bool)) {
	c.round = round
	for !c.ended {
		c.step(c.wait())
	}
}

// step runs one round, unless there is nothing to do.
func (c *Consumer) step(r Ready) {
	if r == 0 {
		return
	}
	c.rounds.Add(1)
	c.ended = !c.round(r)
}

// wait returns the shards that have work, sleeping until there is one. It
// returns an empty set when the consumer was ended in a round that was lent.
func (c *Consumer) wait() Ready {
	for !c.ended {
		if r := c.poll(); r != 0 {
			return r
		}
		if c.sleep() {
			<-c.wake
		}
	}
	return 0
}

// poll takes the shards that have work, possibly none.
func (c *Consumer) poll() Ready {
	if c.word.Load() == 0 {
		return 0
	}
	return Ready(c.word.Swap(0))
}

// sleep sets the sleep bit. It can only be set over an empty word: a push that
// came since the last poll makes this fail, a push that comes later sees the
// bit. Whoever has set it runs the consumer no more.
func (c *Consumer) sleep() bool {
	if !c.word.CompareAndSwap(0, sleepBit) {
		return false
	}
	c.sleeps.Add(1)
	return true
}

// announce marks a shard as filled and sees to it that the consumer runs. Any
// goroutine.
func (c *Consumer) announce(bit uint64) {
	if c.word.Or(bit)&sleepBit == 0 {
		return
	}
	// Several producers may see the bit; the one that clears it runs the
	// consumer now.
	if c.word.And(^sleepBit)&sleepBit == 0 {
		return
	}
	if c.options.Lend && c.runLent() {
		return
	}
	c.wake <- struct{}{} // cannot block: one sleep, one wake
}

// runLent runs a few rounds on a producer's goroutine. False means that there
// is more to do, or an end to be seen, for the consumer's own. If a round panics,
// the producer gets the panic and the consumer's own goroutine goes on.
func (c *Consumer) runLent() (done bool) {
	whole := false
	defer func() {
		if !whole {
			c.wake <- struct{}{}
		}
	}()
	for range lentRounds {
		c.lent.Add(1)
		if c.step(c.poll()); c.ended {
			break
		}
		if c.sleep() {
			done = true
			break
		}
	}
	whole = true
	return done
}

// ConsumerStats counts a consumer's rounds.
type ConsumerStats struct {
	// Rounds is how many rounds there were, Lent how many of them a producer
	// ran, Sleeps how often there was nothing left to do: their ratios tell how
	// well wake-ups are shared.
	Rounds, Lent, Sleeps uint64
}

// Stats reads the counters; any goroutine.
func (c *Consumer) Stats() ConsumerStats {
	return ConsumerStats{Rounds: c.rounds.Load(), Lent: c.lent.Load(), Sleeps: c.sleeps.Load()}
}
