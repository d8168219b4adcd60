package queue

import (
	"math/bits"
	"sync/atomic"
)

// MaxShards is how many shards one consumer can have: one bit each in a word, without the
// sleep bit.
const MaxShards = 63

// sleepBit is set while the consumer sleeps or is about to sleep.
const sleepBit = uint64(1) << 63

// lentRounds is how many rounds a producer runs for the consumer before it passes the work to
// the consumer's own goroutine. It is enough for an answer to one message, and few enough that
// the producer returns to its own work.
const lentRounds = 2

// Consumer is the receiving end of a set of shards.
//
// One goroutine at a time runs it: the goroutine that called Run or, with lending, the
// producer that finds the consumer asleep. The goroutine that clears the sleep bit runs the
// consumer. The rounds therefore follow each other as on one goroutine, and the data that they
// use needs no lock.
//
// Lending suits a consumer with short rounds. When there is little to do, a message is handled
// on the thread that brought it, and no goroutine is woken. When there is much to do, the
// consumer does not sleep, and its own goroutine does all the work.
type Consumer struct {
	// static after construction, or, for round, after Run began
	options ConsumerOptions
	wake    chan struct{} // one slot
	round   func(Ready) (more bool)

	// shared by all producers and the consumer
	word atomic.Uint64

	// owned by the goroutine that runs the consumer
	ended bool

	// written by the goroutine that runs the consumer, read by Stats
	sleeps atomic.Uint64
	rounds atomic.Uint64
	lent   atomic.Uint64

	// owned by the goroutine that makes the shards, before any Push
	shards int
}

// ConsumerOptions configure a Consumer.
type ConsumerOptions struct {
	// Lend lets a producer that finds the consumer asleep run the consumer's rounds. A round
	// must then not block, and no producer may push while it holds a lock that a round takes.
	Lend bool
}

// NewConsumer returns a consumer without shards.
func NewConsumer(o ConsumerOptions) *Consumer {
	return &Consumer{options: o, wake: make(chan struct{}, 1)}
}

// Ready is a set of shards that have work.
type Ready uint64

// Next removes the lowest shard from the set and returns its index; ok is false when the set
// is empty.
func (r *Ready) Next() (index int, ok bool) {
	if *r == 0 {
		return 0, false
	}
	index = bits.TrailingZeros64(uint64(*r))
	*r &= *r - 1
	return index, true
}

// Run calls round with the shards that have work, never with an empty set, until round returns
// false. It sleeps while no shard has work. It never sleeps while it has not seen a push that
// has returned. Call it once, on the consumer's goroutine.
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

// wait returns the shards that have work; it sleeps until there is one. It returns an empty
// set when a lent round has ended the consumer.
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

// poll returns the shards that have work, possibly none, and clears their bits.
func (c *Consumer) poll() Ready {
	if c.word.Load() == 0 {
		return 0
	}
	return Ready(c.word.Swap(0))
}

// sleep sets the sleep bit and returns whether it did. It fails if a push came since the last
// poll, because the bit can only be set in an empty word. A later push sees the bit. A
// goroutine that has set the bit no longer runs the consumer.
func (c *Consumer) sleep() bool {
	if !c.word.CompareAndSwap(0, sleepBit) {
		return false
	}
	c.sleeps.Add(1)
	return true
}

// announce marks a shard as filled and makes sure that the consumer runs. Any goroutine.
func (c *Consumer) announce(bit uint64) {
	if c.word.Or(bit)&sleepBit == 0 {
		return
	}
	// Several producers may see the bit. The producer that clears it runs the consumer now.
	if c.word.And(^sleepBit)&sleepBit == 0 {
		return
	}
	if c.options.Lend && c.runLent() {
		return
	}
	c.wake <- struct{}{} // cannot block: one sleep, one wake
}

// runLent runs a few rounds on a producer's goroutine. False means that the consumer's own
// goroutine has to continue, with more work or with the end. If a round panics, the producer
// gets the panic and the consumer's own goroutine continues.
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

// ConsumerStats are a consumer's counters.
type ConsumerStats struct {
	// Rounds is how many rounds there were, Lent how many of them a producer ran, Sleeps how
	// often there was no work left. Their ratios show how much work each wake-up handles.
	Rounds, Lent, Sleeps uint64
}

// Stats returns the counters. Any goroutine.
func (c *Consumer) Stats() ConsumerStats {
	return ConsumerStats{Rounds: c.rounds.Load(), Lent: c.lent.Load(), Sleeps: c.sleeps.Load()}
}
