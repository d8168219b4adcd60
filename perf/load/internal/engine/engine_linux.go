package engine

import (
	"net/netip"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"gatepass/codec/grunt"
	"gatepass/perf/load/internal/counts"
	"gatepass/perf/load/internal/loop"
	"gatepass/perf/load/internal/protocol"
	"gatepass/perf/load/players"
)

// Engine drives many clients from one epoll loop on one thread. It starts logins when
// they are due and answers what the server sends. In steady state it allocates nothing,
// so that its own garbage collection does not show in the server's latencies. It uses as
// little CPU time as possible, because it shares the machine with the server.
//
// Each client has a slot. Its states are:
//
//	free ─start─▶ connecting ─▶ challenge ─▶ proof ─▶ list ─┬─▶ free
//	  ▲              │ fault        │ fault    │ refused     └─▶ held ⇄ list
//	  └──────────────┴──────────────┴──────────┴──────────────────┘ closed
//
// A held client may receive lists without a request (Watch), or move to a gate and back
// (mover).
//
// The state connecting is mostly skipped: on loopback the connection is established when
// connect returns, and the first message is sent at once.
type Engine struct {
	// Static after construction.
	o       Options
	layout  grunt.Layout
	poll    *loop.Poller
	target  loop.Sockaddr
	sources []loop.Sockaddr
	base    time.Time

	// Shared with the coordinator.
	stop    atomic.Int32  // one of the Stop constants
	counted atomic.Uint64 // logins that went as planned, since the start
	ended   atomic.Uint64 // logins that ended with any result, since the start
	held    atomic.Int64  // connections held now
	dropped atomic.Uint64 // held connections that the server closed
	lists   atomic.Uint64 // lists that held clients requested and received
	shown   atomic.Uint64 // changes of the watched world that clients received
	moved   atomic.Uint64 // moves that ended with any result, since the start

	// Owned by run.
	clients      []client
	free         []int32 // slots
	accounts     *protocol.Accounts
	schedule     *schedule // nil: a closed loop
	busy         int       // clients that are neither free nor held
	requesting   int       // those of them that were held and have requested a list again
	begun        int       // logins that count
	source       int       // index of the last source address used
	mover        mover
	sightings    []Sighting    // of the watched world, in order of time
	paused       time.Duration // no login starts before this
	sweepAt      time.Duration // next check of time limits
	listAt       time.Duration // next request for a list
	listNext     int32         // the slot of its client
	out          []byte        // scratch for messages
	counts       *counts.Logins
	native       *protocol.Native // nil: grunt
	playersInUse int              // native players in use by a connection
	pushed       pushedMessage
}

// Options configures one engine.
type Options struct {
	Target  netip.AddrPort
	Sources []netip.Addr // to connect from, in turn; none: the kernel chooses
	Build   grunt.Build
	// Slots is the largest number of connections, Busy how many of them may log in at the
	// same time. The two differ only where connections are held.
	Slots, Busy int
	// Limit ends the engine after so many logins that count; 0: no limit.
	Limit   int
	Timeout time.Duration // from the start of a login to its end
	// Hold keeps connections open after the login. ListEvery is the interval at which each
	// then requests the realm list; 0: never.
	Hold      bool
	ListEvery time.Duration
	// Watch is the world whose changes held clients receive; nil: they receive no lists
	// without a request.
	Watch *Watch
	// Moves is where held clients move to; nil: they do not move.
	Moves *Moves
	// Canned is for a server with fixed answers: clients compute their proof as always, but
	// accept any answer.
	Canned bool
	// Measuring says whether logins that begin now count.
	Measuring *atomic.Bool
	Attempts  protocol.AccountsOptions
	Schedule  *schedule
	// Native makes clients use the native protocol; nil: grunt. Players are the engine's
	// part of its accounts, in the order of those in Cast. Enrol makes each request a
	// token.
	Native       *players.Native
	Players      []*players.Player
	RequestToken bool
}

// The ways to end an engine.
const (
	StopNot   int32 = iota // it runs
	StopDrain              // start no more logins, end those that run
	StopNow                // close all connections
)

// firstBuffer is the size of a client's first read buffer, in bytes. It holds every
// answer except a long realm list.
const firstBuffer = 256

func newEngine(o Options) (*Engine, error) {
	poll, err := loop.NewPoller()
	if err != nil {
		return nil, err
	}
	e := &Engine{
		o: o, layout: grunt.LayoutOf(o.Build), poll: poll, target: loop.NewSockaddr(o.Target), base: time.Now(),
		clients: make([]client, o.Slots), free: make([]int32, 0, o.Slots), accounts: protocol.NewAccounts(o.Attempts),
		schedule: o.Schedule, out: make([]byte, 0, firstBuffer), counts: counts.NewLogins(),
	}
	if o.Watch != nil {
		e.sightings = make([]Sighting, 0, o.Slots*o.Watch.rounds)
	}
	if o.Moves != nil {
		e.mover = newMover()
	}
	if o.Native != nil {
		e.native = protocol.NewNative(o.Native, o.Build)
	}
	for _, a := range o.Sources {
		e.sources = append(e.sources, loop.NewSockaddr(netip.AddrPortFrom(a, 0)))
	}
	slab := make([]byte, o.Slots*firstBuffer)
	for i := range e.clients {
		e.clients[i].slot, e.clients[i].login = int32(i), -1
		e.clients[i].buf = slab[i*firstBuffer : (i+1)*firstBuffer : (i+1)*firstBuffer]
		e.free = append(e.free, int32(o.Slots-1-i)) // slot 0 is taken first
	}
	return e, nil
}

// now returns the time since the engine was made.
func (e *Engine) now() time.Duration { return time.Since(e.base) }

// run is the loop. It returns when halt was called or the limit is reached. The poller
// stays open, because other goroutines may still wake it.
func (e *Engine) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer e.closeAll()
	// Without this, a wait may end up to 50 µs after a login is due.
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	for !e.finished() {
		e.admit()
		e.move()
		for _, event := range e.poll.Wait(e.waitLimit()) {
			e.handle(event)
		}
		e.upkeep(e.now())
	}
}

// finished reports whether the loop is to end.
func (e *Engine) finished() bool {
	switch e.stop.Load() {
	case StopNow:
		return true
	case StopDrain:
		return e.busy == 0
	}
	return !e.o.Hold && e.exhausted() && e.busy == 0
}

// exhausted reports whether the limit of logins is reached.
func (e *Engine) exhausted() bool { return e.o.Limit > 0 && e.begun >= e.o.Limit }

// halt ends the engine in the given way. Any goroutine may call it.
func (e *Engine) halt(how int32) {
	e.stop.Store(how)
	e.poll.Wake()
}

// admit starts logins: in an open loop those that are due, in a closed loop as many as
// may run at once.
func (e *Engine) admit() {
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

func (e *Engine) mayBegin(now time.Duration) bool {
	return e.room() && now >= e.paused
}

// room reports whether another login may run. Held clients that request a list again do
// not count as busy: otherwise no login would start where lists are requested faster than
// the server answers.
func (e *Engine) room() bool {
	return len(e.free) > 0 && e.busy-e.requesting < e.o.Busy && !e.exhausted() && e.stop.Load() == StopNot && e.playerFree()
}

// waitLimit returns how long the loop may wait for the server before something else is due.
func (e *Engine) waitLimit() time.Duration {
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

// handle processes an event of a client.
func (e *Engine) handle(event unix.EpollEvent) {
	if event.Fd == loop.WakeSlot {
		e.poll.ClearWake()
		return
	}
	c := &e.clients[event.Fd]
	if c.generation != event.Pad || c.phase == phaseFree {
		return // the connection ended earlier in this batch
	}
	if c.phase == phaseConnecting {
		e.connected(c)
		return
	}
	e.receive(c)
}

// upkeep does the work that is due by time: it checks time limits and lets held clients
// request lists.
func (e *Engine) upkeep(now time.Duration) {
	if now >= e.sweepAt {
		e.sweepAt = now + loop.SweepEvery
		e.sweep(now)
	}
	if e.o.ListEvery > 0 && now >= e.listAt {
		e.requestLists(now)
	}
}

// sweep fails the logins whose time limit has passed.
func (e *Engine) sweep(now time.Duration) {
	for i := range e.clients {
		c := &e.clients[i]
		if c.phase != phaseFree && !c.phase.settled() && now >= c.deadline {
			e.fail(c, counts.FaultTimeout)
		}
	}
}

// requestLists lets held clients request the list in turn, evenly over ListEvery.
func (e *Engine) requestLists(now time.Duration) {
	gap := e.o.ListEvery / time.Duration(len(e.clients))
	for ; e.listAt <= now; e.listAt += max(gap, 1) {
		c := &e.clients[e.listNext]
		e.listNext = (e.listNext + 1) % int32(len(e.clients))
		switch {
		case c.phase != phaseHeld:
		case e.native != nil:
			e.ping(c)
		default:
			e.requestList(c, now)
		}
		if e.listAt < now-time.Second {
			e.listAt = now // after a delay, do not catch up in a burst
		}
	}
}

func (e *Engine) closeAll() {
	for i := range e.clients {
		if c := &e.clients[i]; c.phase != phaseFree {
			loop.Close(c.fd)
			c.leaveLogin()
			e.releasePlayer(c)
			c.phase = phaseFree
		}
	}
	e.held.Store(0)
}

// leftover returns how many logins of an open loop were due by now and did not begin. It
// may only be called after run has returned.
func (e *Engine) leftover(now time.Duration) int {
	if e.schedule == nil {
		return 0
	}
	const most = 1 << 20
	return e.schedule.overdue(now, most)
}
