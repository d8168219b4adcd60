package patch

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

// Clients is clients of an old build that sign in, accept the offered file and download it,
// all in one epoll loop. The stages of a client are:
//
//	idle ─start─▶ connecting ─▶ challenge ─▶ proof ─▶ offer ─▶ offered ─accept─▶ reading ─▶ discarding ─▶ complete ─▶ idle
//	                                                                                 │ Stall
//	                                                                                 └─▶ stalled
//
// A reading client compares each frame with the file. Most clients do so only until they
// know how long frames are. Then they let the kernel discard what arrives (discard),
// because a client that shares the machine with the server must use as little CPU time as
// possible. Checking clients compare the whole file.
type Clients struct {
	// Static after construction.
	o       Options
	layout  grunt.Layout
	poll    *loop.Poller
	target  loop.Sockaddr
	sources []loop.Sockaddr
	base    time.Time
	ended   chan struct{} // closed when run has returned

	// Shared with the coordinator.
	Counts
	over   atomic.Bool
	accept atomic.Bool // stalling clients with an offer may accept it

	// Owned by run; by the coordinator once ended is closed.
	downloaders []downloader
	idle        []int32 // slots
	accounts    *protocol.Accounts
	native      *protocol.Native  // nil: grunt
	players     []*players.Player // by slot; of the native protocol
	busy        int               // clients between start and offer
	source      int               // index of the last source address used
	paused      time.Duration     // no client starts before this
	sweepAt     time.Duration     // next check of time limits
	nextSlot    int               // the next client to accept its offer
	out         []byte            // scratch for messages
	scratch     []byte            // scratch for discarded data
	Errors      counts.UpdateErrors
}

// NewClients makes the clients and starts none.
func NewClients(o Options) (*Clients, error) {
	poll, err := loop.NewPoller()
	if err != nil {
		return nil, err
	}
	f := &Clients{
		o: o, layout: grunt.LayoutOf(o.Build), poll: poll, target: loop.NewSockaddr(o.Target), base: time.Now(),
		ended: make(chan struct{}), downloaders: make([]downloader, o.Count), Errors: counts.UpdateErrors{}, scratch: make([]byte, discardPortion),
		accounts: protocol.NewAccounts(protocol.AccountsOptions{Accounts: o.Accounts[:o.Count], Build: o.Build}),
	}
	if o.Native != nil {
		f.native = protocol.NewNative(o.Native, o.Build)
		f.native.TakesUpdates = true
		f.players = o.Native.Share(0, 1)
	}
	for _, a := range o.Sources {
		f.sources = append(f.sources, loop.NewSockaddr(netip.AddrPortFrom(a, 0)))
	}
	for i := range f.downloaders {
		t := &f.downloaders[i]
		t.slot, t.checks, t.buf = int32(i), i < o.Checkers, make([]byte, firstBuffer)
		f.idle = append(f.idle, int32(o.Count-1-i)) // slot 0 is taken first
	}
	return f, nil
}

// Start starts the clients.
func (f *Clients) Start() { go f.run() }

// AcceptOffers lets stalling clients accept their offers.
func (f *Clients) AcceptOffers() {
	f.accept.Store(true)
	f.poll.Wake()
}

// Stop closes all connections and waits until the loop has ended. It may be called once.
func (f *Clients) Stop() {
	f.over.Store(true)
	f.poll.Wake()
	<-f.ended
	f.poll.Close()
}

func (f *Clients) now() time.Duration { return time.Since(f.base) }

// run is the loop. It ends after stop was called.
func (f *Clients) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(f.ended)
	defer f.closeAll()
	for !f.over.Load() {
		f.admit()
		f.acceptSome()
		for _, event := range f.events() {
			f.handle(event)
		}
		f.sweep(f.now())
	}
}

// events waits for events, or sleeps for Doze if there are none. It does not use
// Poller.Wait, which keeps the thread's place among GOMAXPROCS: a run that measures logins
// at the same time needs that place more.
func (f *Clients) events() []unix.EpollEvent {
	if f.o.IdleSleep == 0 {
		return f.poll.WaitCoarse(f.waitLimit())
	}
	events := f.poll.WaitCoarse(0)
	if len(events) == 0 {
		doze := unix.NsecToTimespec(int64(f.o.IdleSleep))
		_ = unix.Nanosleep(&doze, nil) // a signal may end it early
	}
	return events
}

// admit starts idle clients.
func (f *Clients) admit() {
	for len(f.idle) > 0 && f.busy < f.o.Busy && f.now() >= f.paused {
		last := len(f.idle) - 1
		t := &f.downloaders[f.idle[last]]
		f.idle = f.idle[:last]
		f.begin(t)
	}
}

// waitLimit returns how long the loop may wait for events.
func (f *Clients) waitLimit() time.Duration {
	if f.accept.Load() && f.o.Stall && f.nextSlot < len(f.downloaders) {
		return 0
	}
	return maxWait
}

// acceptSome lets the next stalling clients accept their offers.
func (f *Clients) acceptSome() {
	if !f.o.Stall || !f.accept.Load() {
		return
	}
	for range acceptBatch {
		if f.nextSlot == len(f.downloaders) {
			return
		}
		if t := &f.downloaders[f.nextSlot]; t.stage == stageOffered {
			f.Offered.Add(-1)
			f.acceptHeldOffer(t)
		}
		f.nextSlot++
	}
}

// handle processes an event of a client.
func (f *Clients) handle(event unix.EpollEvent) {
	if event.Fd == loop.WakeSlot {
		f.poll.ClearWake()
		return
	}
	t := &f.downloaders[event.Fd]
	switch {
	case t.generation != event.Pad || t.stage == stageIdle:
	case t.stage == stageConnecting:
		f.connected(t)
	case t.stage == stageStalled: // only the end of the connection is watched
		f.fail(t, counts.FaultClosed.UpdateError())
	case t.stage == stageDiscarding:
		f.discard(t)
	default:
		f.receive(t)
	}
}

// sweep fails the clients that made no progress within the time limit.
func (f *Clients) sweep(now time.Duration) {
	if now < f.sweepAt {
		return
	}
	f.sweepAt = now + loop.SweepEvery
	for i := range f.downloaders {
		t := &f.downloaders[i]
		if t.stage.waits() && now >= t.deadline {
			f.fail(t, counts.FaultTimeout.UpdateError())
		}
	}
}

func (f *Clients) closeAll() {
	for i := range f.downloaders {
		if t := &f.downloaders[i]; t.stage != stageIdle {
			loop.Close(t.fd)
			t.stage = stageIdle
		}
	}
}
