package queue

// Loop runs a state machine on the goroutine of a Consumer. It hands the machine all items of
// the shards, one at a time, and then makes the machine submit the results. The logic of a
// login server and that of a world's gate run in a Loop. The zero value has no shards.
type Loop struct {
	// static after construction
	consumer *Consumer
	begin    func() // nil if there is none
	flush    func()
	drains   []func() // by the shards' indexes
	closes   []func()
	done     chan struct{}

	// owned by the goroutine that runs the consumer
	ended bool
}

// NewLoop returns a loop for a consumer. begin, if not nil, is called at the beginning of each
// round, and flush at its end.
func NewLoop(c *Consumer, begin, flush func()) Loop {
	return Loop{consumer: c, begin: begin, flush: flush, done: make(chan struct{})}
}

// Handle sets the function that is called for each item of a shard. Call Handle for each shard
// of the consumer, in the order in which the shards were made, and before Run. Each item is
// wiped after its call, because messages may hold keys and proofs.
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

// Run runs the loop until a round in which End is called. Then it releases the producers that
// wait for room.
func (l *Loop) Run() {
	defer close(l.done)
	l.consumer.Run(l.Round)
	for _, closeShard := range l.closes {
		closeShard()
	}
}

// Round handles everything that the ready shards hold.
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

// End ends the loop after the current round.
func (l *Loop) End() { l.ended = true }

// Ended returns whether End was called. Call it in a round.
func (l *Loop) Ended() bool { return l.ended }

// Done returns a channel that is closed when the loop has ended.
func (l *Loop) Done() <-chan struct{} { return l.done }

// Cleaner cleans up after a panic of a machine.
type Cleaner interface {
	// Fault counts and logs the panic.
	Fault(p any)
	// CleanUp ends the session that the item was about, if there is one. The session may be
	// inconsistent after the panic, so CleanUp may panic too.
	CleanUp(tag uint64)
	// Abandon removes the session without using its state, after CleanUp has panicked, and
	// closes its connection.
	Abandon(tag uint64)
}

// Rescue recovers a panic of one item. It is deferred around an item about the session with
// that tag, or 0 for none. A bug that one client can reach then costs only that client's
// connection.
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
