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

// pump reads the files that are being sent. A stream that may continue asks the pump for its
// next turn and enters the queue. A reader takes the first request of the queue, reads the
// turn into one of a few buffers and hands it to the stream's reactor. The reactor sends the
// turn and asks for the next one. All streams therefore take turns, however many there are,
// and no stream waits for the disk or socket of another. A waiting transfer costs one request.
//
// Its goroutines are the readers; the waiter, which passes on the sockets that have become
// writable; and the clock, which handles everything that is due at a given time. None of them
// accesses a stream, because streams belong to their reactors. They pass values and handles.
type pump struct {
	// static after construction
	options  TransferOptions
	logger   *slog.Logger
	reactors []*reactor
	now      func() time.Duration // the clock for due times and stalls
	writable *writable            // set by start
	stop     chan struct{}
	alarm    chan struct{} // one slot: tells the clock to look again
	done     sync.WaitGroup

	// busy says that a turn is being read or sent, or could be.
	busy atomic.Bool
	// running is how many streams there are.
	running atomic.Int64
	// dryWaits counts how often all readers waited for tokens.
	dryWaits atomic.Uint64

	mu      sync.Mutex // guards all below
	work    sync.Cond  // the readers wait on it
	waiting int        // readers that wait on work
	line    line
	later   calendar
	bucket  guard.Bucket
	// dry is the time until which the queue waits for the bucket; 0 if it does not wait.
	dry     time.Duration
	free    []*turnBuffer
	made    int // buffers that exist
	flight  int // turns that a reader has begun and a reactor has not ended
	stopped bool
	faults  map[codec.TransferSource]time.Duration // when each fault was logged
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

// end stops the goroutines and waits for them, but not without limit for a disk: it returns an
// error after closeLimit. Call it before the event loops end, because the goroutines send
// tasks to the loops.
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

// resting returns whether no turn is being read or sent. Anywhere.
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
			return // the read took so long that the loop may have ended
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

// next returns the first request with a buffer, once there are tokens; false at the end.
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

// spare returns how many buffers are free. The caller holds mu, also for lend, isDry and
// settle.
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

// isDry returns whether the queue waits for tokens.
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

// dataOf returns how many bytes of a file a turn has at most. At a low rate that is few, so
// that a client does not wait long between two turns.
func (p *pump) dataOf(f codec.FileFrame) int {
	most := int64(turnSize / f.Size() * f.Data)
	for _, rate := range []int64{p.options.Rate, p.options.ClientRate} {
		if rate > 0 {
			most = min(most, max(rate/turnsASecond, int64(f.Data)))
		}
	}
	return int(most)
}

// settle wakes one reader if there is something to read and at least buffers buffers are free.
// It also updates busy. Each reader wakes the next one, because a disk may block any of them.
func (p *pump) settle(buffers int) {
	ready := p.line.n > 0 && p.dry == 0
	if ready && p.waiting > 0 && p.spare() >= buffers {
		p.work.Signal()
	}
	if busy := ready || p.flight > 0; busy != p.busy.Load() {
		p.busy.Store(busy)
	}
}

// ask puts a request into the queue. Reactor.
func (p *pump) ask(q request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.stopped {
		p.line.push(q)
		p.settle(1)
	}
}

// askLater puts a request into the queue after a delay. Reactor.
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

// giveBack ends a turn; unsent is how many of its bytes were not sent. It wakes readers for
// several buffers at a time. Reactor.
func (p *pump) giveBack(t *turn, unsent int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, t.buffer)
	p.flight--
	p.bucket.Take(-unsent)
	p.settle(p.options.Readers)
}

// ring makes the clock look again. Anywhere.
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

// sweepEach returns how often to look for stalled clients.
func (p *pump) sweepEach() time.Duration {
	return min(max(p.options.Stall/4, time.Millisecond), time.Second)
}

// sweep asks the reactors that have streams to look for stalled clients.
func (p *pump) sweep() {
	for _, r := range p.reactors {
		if r.streams.Load() > 0 && r.turns.giveSweep() {
			r.scheduleTurns()
		}
	}
}

// dueIn moves the requests that are due into the queue, and returns when the clock has to look
// again.
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

// report logs that a file could not be read: once in faultEach for each file, because the file
// may be on its way to thousands of clients. The client is not told the cause.
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

// forgetFaults removes faults that are older than faultEach and would be logged again. The
// caller holds mu.
func (p *pump) forgetFaults(now time.Duration) {
	for source, at := range p.faults {
		if now-at > faultEach {
			delete(p.faults, source)
		}
	}
}

// scheduleTurns sends the reactor the task that takes the turns. The pump's goroutines only,
// and not from a task that the reactor runs: the reactor would run the new task in the same
// round.
func (r *reactor) scheduleTurns() {
	_ = r.loop.Execute(context.Background(), takeTurns{r}) // fails only once the engine has stopped
}
