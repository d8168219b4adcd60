package queue

// Loop runs a machine on the goroutine of a Consumer: it hands everything that the shards
// hold to the machine, one item at a time, and then has the machine submit what came of it.
// The logic of a login server and of a world's gate run in one. The zero value has no
// shards.
type Loop struct {
	// static after construction
	consumer *Consumer
	begin    func() // nil for nothing
	flush    func()
	drains   []func() // by the shards' indexes
	closes   []func()
	done     chan struct{}

	// owned by whoever runs the consumer
	ended bool
}

// NewLoop makes a loop of a consumer. begin is called at the beginning of each round, if it
// is not nil, and flush at its end.
func NewLoop(c *Consumer, begin, flush func()) Loop {
	return Loop{consumer: c, begin: begin, flush: flush, done: make(chan struct{})}
}

// Handle has handle called for each item of a shard. It is called for each shard of the
// consumer, in the order in which the shards were made, and before Run. Items are wiped
// behind it: messages may hold keys and proofs.
func Handle[T any](l *Loop, s *Shard[T], handle func(*T)) {
	if s.index != len(l.drains) {
		panic("queue: the shards are not handled in their order")
	}
	l.drains = append(l.drains, func() {
		batch := s.Swap()
		for i := range batch {
			handle(&batch[i])
		}
		clear(batch)
	})
	l.closes = append(l.closes, s.Close)
}

// Run runs the loop until a round in which End is called. Then it releases the producers
// that wait for room.
func (l *Loop) Run() {
	defer close(l.done)
	l.consumer.Run(l.Round)
	for _, closeShard := range l.closes {
		closeShard()
	}
}

// Round takes what the ready shards hold.
func (l *Loop) Round(ready Ready) (more bool) {
	if l.begin != nil {
		l.begin()
	}
	for i, ok := ready.Next(); ok; i, ok = ready.Next() {
		l.drains[i]()
	}
	l.flush()
	return !l.ended
}

// End ends the loop behind the round in which it is called.
func (l *Loop) End() { l.ended = true }

// Ended tells whether End was called; in a round.
func (l *Loop) Ended() bool { return l.ended }

// Done is closed when the loop has ended.
func (l *Loop) Done() <-chan struct{} { return l.done }

// Cleaner cleans up after a panic of a machine.
type Cleaner interface {
	// Fault counts and logs it.
	Fault(p any)
	// CleanUp ends the session that the item was about, if there is one. It works on what
	// the bug has left and may panic, too.
	CleanUp(tag uint64)
	// Abandon takes the session out as it is when CleanUp has panicked, and closes its
	// connection.
	Abandon(tag uint64)
}

// Rescue is deferred around an item about a session with that tag, or 0 for none: a bug
// that one client can reach costs that client's connection and no other.
func Rescue(c Cleaner, tag uint64) {
	p := recover()
	if p == nil {
		return
	}
	c.Fault(p)
	defer rescueAgain(c, tag)
	c.CleanUp(tag)
}

func rescueAgain(c Cleaner, tag uint64) {
	p := recover()
	if p == nil {
		return
	}
	c.Fault(p)
	c.Abandon(tag)
}
