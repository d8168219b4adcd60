package load

import (
	"net/netip"
	"runtime"
	"sync/atomic"
	"time"

	"gatepass/codec/grunt"

	"golang.org/x/sys/unix"
)

// engine drives many clients from one epoll loop on one thread: it starts
// logins when they are due and answers what comes. In steady state it allocates
// nothing, so that the client's own garbage collector cannot be seen in the
// server's latencies, and it spends as little as it can, because client and
// server share the machine.
//
// A client is a slot. Its way:
//
//	free ─start─▶ connecting ─▶ challenge ─▶ proof ─▶ list ─┬─▶ free
//	  ▲              │ fault        │ fault    │ refused     └─▶ held ⇄ list
//	  └──────────────┴──────────────┴──────────┴──────────────────┘ closed
//
// A held client may be sent lists unasked (watch), or go to a gate and come back
// (mover).
//
// Connecting is mostly skipped: on loopback the connection stands when connect
// returns, and the challenge is sent at once.
type engine struct {
	// Static after newEngine.
	o       engineOptions
	layout  grunt.Layout
	poll    *poller
	target  sockaddr
	sources []sockaddr
	base    time.Time

	// Shared with the coordinator.
	stop    atomic.Int32  // a stopX
	counted atomic.Uint64 // logins that went as planned, ever
	ended   atomic.Uint64 // logins that ended either way, ever
	held    atomic.Int64  // connections held now
	dropped atomic.Uint64 // held connections that the server closed
	lists   atomic.Uint64 // lists that held clients asked for and got
	shown   atomic.Uint64 // changes of the watched world that clients were shown
	moved   atomic.Uint64 // moves that ended either way, ever

	// Owned by run.
	clients  []client
	free     []int32 // slots
	cast     *cast
	schedule *schedule // nil: a closed loop
	busy     int       // clients neither free nor held
	asking   int       // those of them that were held and ask for the list again
	begun    int
	source   int
	mover    mover
	seen     []sighting    // of the watched world, in order of time
	paused   time.Duration // no start before this
	sweepAt  time.Duration
	listAt   time.Duration // when the next held client asks
	listNext int32
	out      []byte
	tally    *tally
	tongue   *tongue // nil: grunt
	playing  int     // native players that a connection has
	news     news
}

// engineOptions is what one engine is to do.
type engineOptions struct {
	Target  netip.AddrPort
	Sources []netip.Addr // to connect from, in turn; none: the kernel chooses
	Build   grunt.Build
	// Slots is how many connections there may be at once, Busy how many of them
	// may be logging in. Only held connections make the two differ.
	Slots, Busy int
	// Limit ends the engine after so many logins that count; 0 is none.
	Limit   int
	Timeout time.Duration // from the start of a login to its end
	// Hold keeps connections after the login; ListEvery makes each ask for the
	// realm list that often (0: never).
	Hold      bool
	ListEvery time.Duration
	// Watch is what held clients look for in lists they are sent; nil: they are
	// sent none.
	Watch *watch
	// Moves is where held clients go; nil: nowhere.
	Moves *moves
	// Canned is for a server that knows no arithmetic: its proof is computed as
	// always, and then believed.
	Canned bool
	// Measuring says whether what begins now counts.
	Measuring *atomic.Bool
	Cast      castOptions
	Schedule  *schedule
	// Native is nil for grunt; Players are those of the engine, who are the accounts
	// of Cast in their order. Enrol has each given a token.
	Native  *Players
	Players []*player
	Enrol   bool
}

// How an engine is told to end.
const (
	stopNot   int32 = iota
	stopDrain       // begin nothing, let what runs end
	stopNow         // close everything
)

const (
	// sweepEvery is how exactly time limits are kept.
	sweepEvery = 50 * time.Millisecond
	// connectPause keeps a closed loop from hammering at a closed door.
	connectPause = 10 * time.Millisecond
	// firstBuffer holds every answer but a long realm list.
	firstBuffer = 256
)

func newEngine(o engineOptions) (*engine, error) {
	poll, err := newPoller()
	if err != nil {
		return nil, err
	}
	e := &engine{
		o: o, layout: grunt.LayoutOf(o.Build), poll: poll, target: newSockaddr(o.Target), base: time.Now(),
		clients: make([]client, o.Slots), free: make([]int32, 0, o.Slots), cast: newCast(o.Cast),
		schedule: o.Schedule, out: make([]byte, 0, firstBuffer), tally: newTally(),
	}
	if o.Watch != nil {
		e.seen = make([]sighting, 0, o.Slots*o.Watch.rounds)
	}
	if o.Moves != nil {
		e.mover = newMover()
	}
	if o.Native != nil {
		e.tongue = newTongue(o.Native, o.Build)
	}
	for _, a := range o.Sources {
		e.sources = append(e.sources, newSockaddr(netip.AddrPortFrom(a, 0)))
	}
	slab := make([]byte, o.Slots*firstBuffer)
	for i := range e.clients {
		e.clients[i].slot, e.clients[i].login = int32(i), -1
		e.clients[i].buf = slab[i*firstBuffer : (i+1)*firstBuffer : (i+1)*firstBuffer]
		e.free = append(e.free, int32(o.Slots-1-i)) // slot 0 is taken first
	}
	return e, nil
}

// now is the time since the engine was made.
func (e *engine) now() time.Duration { return time.Since(e.base) }

// run is the loop. It returns when it was told to stop or its limit is reached;
// the poller stays open for who may still want to wake it.
func (e *engine) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer e.closeAll()
	// A wait must end when a login is due, not up to 50 µs after.
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	for !e.finished() {
		e.admit()
		e.move()
		for _, event := range e.poll.wait(e.nap()) {
			e.handle(event)
		}
		e.upkeep(e.now())
	}
}

// finished tells whether the loop is over.
func (e *engine) finished() bool {
	switch e.stop.Load() {
	case stopNow:
		return true
	case stopDrain:
		return e.busy == 0
	}
	return !e.o.Hold && e.exhausted() && e.busy == 0
}

// exhausted tells whether no login is left to begin.
func (e *engine) exhausted() bool { return e.o.Limit > 0 && e.begun >= e.o.Limit }

// halt tells the engine how to end. Any goroutine may call it.
func (e *engine) halt(how int32) {
	e.stop.Store(how)
	e.poll.wake()
}

// admit begins the logins that are due: in a closed loop as many as there is
// room for, in an open one those whose time has come.
func (e *engine) admit() {
	now := e.now()
	for e.mayBegin(now) {
		due := now
		if e.schedule != nil {
			if e.schedule.next() > now {
				return
			}
			due = e.schedule.take()
		}
		e.begin(due)
		now = e.now()
	}
}

func (e *engine) mayBegin(now time.Duration) bool {
	return e.room() && now >= e.paused
}

// room tells whether a login could begin. Those who ask again do not count: where
// lists are asked for faster than the server answers, no login would begin any more.
func (e *engine) room() bool {
	return len(e.free) > 0 && e.busy-e.asking < e.o.Busy && !e.exhausted() && e.stop.Load() == stopNot && e.seat()
}

// nap is how long there is nothing to do but to wait for the server.
func (e *engine) nap() time.Duration {
	if e.o.Watch != nil && e.o.Watch.pending.Load() {
		return 0
	}
	now := e.now()
	until := e.sweepAt
	if e.room() {
		due := e.paused
		if e.schedule != nil {
			due = max(due, e.schedule.next())
		}
		until = min(until, due)
	}
	if e.o.ListEvery > 0 {
		until = min(until, e.listAt)
	}
	if e.mayMove() {
		until = min(until, e.mover.due())
	}
	return max(0, until-now)
}

// handle is one event of one client.
func (e *engine) handle(event unix.EpollEvent) {
	if event.Fd == wakeToken.slot {
		var b [8]byte
		_, _ = rawRead(e.poll.wakeFD, b[:])
		return
	}
	c := &e.clients[event.Fd]
	if c.generation != event.Pad || c.phase == phaseFree {
		return // of a connection that ended earlier in this batch
	}
	if c.phase == phaseConnecting {
		e.connected(c)
		return
	}
	e.receive(c)
}

// upkeep is what goes by the clock: time limits, and the lists that held
// clients ask for.
func (e *engine) upkeep(now time.Duration) {
	if now >= e.sweepAt {
		e.sweepAt = now + sweepEvery
		e.sweep(now)
	}
	if e.o.ListEvery > 0 && now >= e.listAt {
		e.askLists(now)
	}
}

// sweep ends the logins whose time is up.
func (e *engine) sweep(now time.Duration) {
	for i := range e.clients {
		c := &e.clients[i]
		if c.phase != phaseFree && !c.phase.settled() && now >= c.deadline {
			e.fail(c, FaultTimeout)
		}
	}
}

// askLists lets the held clients ask for the list in turn, spread over
// ListEvery.
func (e *engine) askLists(now time.Duration) {
	gap := e.o.ListEvery / time.Duration(len(e.clients))
	for ; e.listAt <= now; e.listAt += max(gap, 1) {
		c := &e.clients[e.listNext]
		e.listNext = (e.listNext + 1) % int32(len(e.clients))
		switch {
		case c.phase != phaseHeld:
		case e.tongue != nil:
			e.ping(c)
		default:
			e.ask(c, now)
		}
		if e.listAt < now-time.Second {
			e.listAt = now // fell behind: do not make up for it in a burst
		}
	}
}

func (e *engine) closeAll() {
	for i := range e.clients {
		if c := &e.clients[i]; c.phase != phaseFree {
			rawClose(c.fd)
			c.leaveLogin()
			e.rise(c)
			c.phase = phaseFree
		}
	}
	e.held.Store(0)
}

// leftover is how many logins of an open loop were due by now and never began.
// Only after run has returned.
func (e *engine) leftover(now time.Duration) int {
	if e.schedule == nil {
		return 0
	}
	const most = 1 << 20
	return e.schedule.overdue(now, most)
}
