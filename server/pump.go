package server

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"gatepass/codec"
	"gatepass/deadline"
	"gatepass/guard"
)

// pump reads the files that are being sent. A stream that may go on asks it for its
// next turn and stands in line; a reader takes the first in line, reads the turn into
// one of few buffers and hands it to the stream's reactor, which sends it and asks
// again. So all take turns, whatever their number, none waits for another's disk or
// socket, and what a transfer costs while it waits is a request.
//
// Its goroutines: the readers; the waiter, which hands on what sockets can be written
// to again; and the clock, which sees to all that is due at a time. None of them
// touches a stream: those belong to their reactors, and what crosses is a value or a
// handle.
type pump struct {
	// static after construction
	options  TransferOptions
	logger   *slog.Logger
	reactors []*reactor
	now      func() time.Duration // what dues and stalls count by
	writable *writable            // set by start
	stop     chan struct{}
	alarm    chan struct{} // one slot: the clock is to look again
	done     sync.WaitGroup

	// busy says that a turn is under way or could be.
	busy atomic.Bool
	// running is how many streams there are.
	running atomic.Int64
	// dryWaits counts how often all readers waited for tokens.
	dryWaits atomic.Uint64

	mu      sync.Mutex // guards all below
	work    sync.Cond  // the readers wait for it
	waiting int        // readers that do
	line    line
	later   calendar
	bucket  guard.Bucket
	// dry is until when the line waits for the bucket, 0 for not at all.
	dry     time.Duration
	free    []*turnBuffer
	made    int // buffers there are
	flight  int // turns between a reader and their end on a reactor
	stopped bool
	faults  map[codec.TransferSource]time.Duration // when each was reported
}

func newPump(o TransferOptions, logger *slog.Logger, reactors []*reactor) *pump {
	p := &pump{
		options: o, logger: logger, reactors: reactors, now: deadline.Now,
		stop: make(chan struct{}), alarm: make(chan struct{}, 1),
		faults: make(map[codec.TransferSource]time.Duration),
	}
	p.work.L = &p.mu
	p.bucket = guard.NewBucket(o.Rate, 0)
	return p
}

// start starts the goroutines.
func (p *pump) start() (err error) {
	if p.writable, err = newWritable(); err != nil {
		return err
	}
	p.done.Add(p.options.Readers + 2)
	for range p.options.Readers {
		go p.read()
	}
	go p.watch()
	go p.keepTime()
	return nil
}

// end ends the goroutines and waits for them, but not for a disk. It comes before
// the end of the loops, to which they send tasks.
func (p *pump) end() error {
	p.mu.Lock()
	p.stopped = true
	p.work.Broadcast()
	p.mu.Unlock()
	close(p.stop)
	p.writable.interrupt()
	ended := make(chan struct{})
	go func() { p.done.Wait(); close(ended) }()
	select {
	case <-ended:
		return nil
	case <-time.After(closeLimit):
		return errors.New("server: a file that is being sent could not be read within 10 s")
	}
}

// resting tells whether no turn is under way. Anywhere.
func (p *pump) resting() bool { return !p.busy.Load() }

// read is a reader's goroutine.
func (p *pump) read() {
	defer p.done.Done()
	for {
		t, ok := p.next()
		if !ok {
			return
		}
		t.load()
		if t.err != nil {
			p.report(&t)
		}
		if p.halted() {
			return // it took so long that its loop may be gone
		}
		if r := p.reactors[t.conn.Reactor()]; r.turns.give(t) {
			r.scheduleTurns()
		}
	}
}

func (p *pump) halted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stopped
}

// next waits for a request whose turn it is, a buffer and tokens; false at the end.
func (p *pump) next() (t turn, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.stopped {
		if p.line.n > 0 && p.spare() > 0 && !p.isDry() {
			t.request, t.buffer = p.line.pop(), p.lend()
			p.bucket.Take(t.most)
			p.flight++
			p.settle(1)
			return t, true
		}
		p.waiting++
		p.work.Wait()
		p.waiting--
	}
	return t, false
}

// spare is how many buffers nobody has; it and those below are called with mu held.
func (p *pump) spare() int { return len(p.free) + p.options.Readers*turnsAReader - p.made }

// lend takes a buffer out of the pool, or makes one.
func (p *pump) lend() *turnBuffer {
	if len(p.free) == 0 {
		p.made++
		return &turnBuffer{}
	}
	last := len(p.free) - 1
	b := p.free[last]
	p.free = p.free[:last]
	return b
}

// isDry tells whether the line waits for tokens.
func (p *pump) isDry() bool {
	if p.options.Rate == 0 {
		return false
	}
	now := p.now()
	if now < p.dry {
		return true
	}
	wait := p.bucket.Wait(now)
	if wait == 0 {
		p.dry = 0
		return false
	}
	p.dry = now + wait
	p.dryWaits.Add(1)
	p.settle(1)
	p.ring()
	return true
}

// dataOf is how many bytes of a file the turns have at most: not so many that a low
// rate would leave a client waiting for long between two of them.
func (p *pump) dataOf(f codec.FileFrame) int {
	most := int64(turnSize / f.Size() * f.Data)
	for _, rate := range []int64{p.options.Rate, p.options.ClientRate} {
		if rate > 0 {
			most = min(most, max(rate/turnsASecond, int64(f.Data)))
		}
	}
	return int(most)
}

// settle wakes a reader if there is something to read and so many buffers to read
// into, and notes whether anything is under way. One reader wakes the next: a disk
// may keep any of them.
func (p *pump) settle(buffers int) {
	ready := p.line.n > 0 && p.dry == 0
	if ready && p.waiting > 0 && p.spare() >= buffers {
		p.work.Signal()
	}
	if busy := ready || p.flight > 0; busy != p.busy.Load() {
		p.busy.Store(busy)
	}
}

// ask puts a request into the line. Reactor.
func (p *pump) ask(q request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.stopped {
		p.line.push(q)
		p.settle(1)
	}
}

// askLater puts a request into the line in a while. Reactor.
func (p *pump) askLater(q request, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return
	}
	p.later.push(postponed{request: q, due: p.now() + wait})
	if p.later[0].conn == q.conn {
		p.ring()
	}
}

// giveBack ends a turn of which so many bytes were not sent. Readers are woken for
// some buffers at a time. Reactor.
func (p *pump) giveBack(t *turn, unsent int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, t.buffer)
	p.flight--
	p.bucket.Take(-unsent)
	p.settle(p.options.Readers)
}

// ring has the clock look again. Anywhere.
func (p *pump) ring() {
	select {
	case p.alarm <- struct{}{}:
	default:
	}
}

// watch is the waiter's goroutine.
func (p *pump) watch() {
	defer p.done.Done()
	for {
		conns, err := p.writable.wait()
		if err != nil {
			if !p.halted() {
				p.logger.Error("sockets cannot be watched any more; transfers will stall", "error", err)
			}
			return
		}
		for i, r := range p.reactors {
			if r.turns.giveWritable(conns, i) {
				r.scheduleTurns()
			}
		}
	}
}

// keepTime is the clock's goroutine.
func (p *pump) keepTime() {
	defer p.done.Done()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	swept := p.now()
	for {
		select {
		case <-p.stop:
			return
		case <-p.alarm:
		case <-timer.C:
		}
		now := p.now()
		if each := p.sweepEach(); now-swept >= each {
			swept = now
			p.sweep()
		}
		for _, r := range p.reactors {
			if r.kicked.Swap(false) {
				r.scheduleTurns()
			}
		}
		timer.Reset(p.dueIn(now, swept+p.sweepEach()))
	}
}

// sweepEach is how often stalled clients are looked for.
func (p *pump) sweepEach() time.Duration {
	return min(max(p.options.Stall/4, time.Millisecond), time.Second)
}

// sweep asks those reactors that have streams to look for clients that have stalled.
func (p *pump) sweep() {
	for _, r := range p.reactors {
		if r.streams.Load() > 0 && r.turns.giveSweep() {
			r.scheduleTurns()
		}
	}
}

// dueIn lets those into the line whose time has come, and tells when the clock has
// to look again.
func (p *pump) dueIn(now, sweep time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.later) > 0 && p.later[0].due <= now {
		p.line.push(p.later.pop())
	}
	if p.dry != 0 && p.dry <= now {
		p.dry = 0
	}
	p.settle(1)
	next := now + time.Hour
	p.forgetFaults(now)
	if p.running.Load() > 0 {
		next = min(next, sweep)
	}
	if len(p.faults) > 0 {
		next = min(next, now+faultEach)
	}
	if len(p.later) > 0 {
		next = min(next, p.later[0].due)
	}
	if p.dry != 0 {
		next = min(next, p.dry)
	}
	return max(next-now, 0)
}

// report logs that a file could not be read: once a faultEach for each file, which
// may be on its way to thousands. What the client was told says nothing of it.
func (p *pump) report(t *turn) {
	key := t.source
	if !reflect.TypeOf(key).Comparable() {
		key = nil
	}
	if p.isNews(key) {
		p.logger.Error("a file that is being sent could not be read", "file", key, "offset", t.offset, "error", t.err)
	}
}

func (p *pump) isNews(key codec.TransferSource) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	p.forgetFaults(now)
	if _, known := p.faults[key]; known || len(p.faults) >= faultsKept {
		return false
	}
	p.faults[key] = now
	return true
}

// forgetFaults lets go of the files whose faults are so old that they would be reported
// again. The caller holds mu.
func (p *pump) forgetFaults(now time.Duration) {
	for source, at := range p.faults {
		if now-at > faultEach {
			delete(p.faults, source)
		}
	}
}

// scheduleTurns sends the task that takes the turns. The pump's goroutines, but for
// those that the reactor itself runs: there it would be taken in the same round.
func (r *reactor) scheduleTurns() {
	_ = r.loop.Execute(context.Background(), takeTurns{r}) // fails only once the engine has stopped
}
