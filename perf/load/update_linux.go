package load

import (
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"gatepass/codec/grunt"
)

// fleet is clients of an old build that sign in, are offered a file and take it, driven
// from one epoll loop. A client's way:
//
//	idle ─start─▶ connecting ─▶ challenge ─▶ proof ─▶ offer ─▶ offered ─accept─▶ taking ─▶ skimming ─▶ taken ─▶ idle
//	                                                                                │ told to stall
//	                                                                                └─▶ stalled
//
// Taking is reading frame by frame and comparing each with the file. Most clients do so
// only until they know how long frames are; then they let the kernel throw away what
// comes (skim), for a client that shares a machine with the server must cost as little as
// it can. Those that check go on to the end.
type fleet struct {
	// Static after newFleet.
	o       fleetOptions
	layout  grunt.Layout
	poll    *poller
	target  sockaddr
	sources []sockaddr
	base    time.Time
	ended   chan struct{} // closed when run has returned

	// Shared with the coordinator.
	updateCounts
	over   atomic.Bool
	accept atomic.Bool // those who were offered the file may take it

	// Owned by run; the coordinator's once ended is closed.
	takers   []taker
	idle     []int32 // slots
	cast     *cast
	tongue   *tongue // nil: grunt
	busy     int     // clients on their way to an offer
	source   int
	paused   time.Duration // no start before this
	sweepAt  time.Duration
	nextSlot int // to accept
	out      []byte
	portion  []byte
	mishaps  mishaps
}

func newFleet(o fleetOptions) (*fleet, error) {
	poll, err := newPoller()
	if err != nil {
		return nil, err
	}
	f := &fleet{
		o: o, layout: grunt.LayoutOf(o.Clients.Build), poll: poll, target: newSockaddr(o.Target.Addr), base: time.Now(),
		ended: make(chan struct{}), takers: make([]taker, o.Takers), mishaps: mishaps{}, portion: make([]byte, takePortion),
		cast: newCast(castOptions{Accounts: o.Clients.Accounts[:o.Takers], Build: o.Clients.Build}),
	}
	if o.Clients.Native != nil {
		f.tongue = newTongue(o.Clients.Native, o.Clients.Build)
		f.tongue.updates = true
	}
	for _, a := range o.Clients.sources(o.Target.Addr) {
		f.sources = append(f.sources, newSockaddr(addrPort(a)))
	}
	for i := range f.takers {
		t := &f.takers[i]
		t.slot, t.checks, t.buf = int32(i), i < o.Checkers, make([]byte, helloBuffer)
		f.idle = append(f.idle, int32(o.Takers-1-i)) // slot 0 is taken first
	}
	return f, nil
}

func (f *fleet) start() { go f.run() }

// stop ends the clients where they are and waits for it.
func (f *fleet) stop() {
	f.over.Store(true)
	f.poll.wake()
	<-f.ended
	f.poll.close()
}

func (f *fleet) now() time.Duration { return time.Since(f.base) }

// run is the loop, until stop.
func (f *fleet) run() {
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

// events waits for some, or looks away for a while if there are none. It does so not by
// poller.wait: whoever measures logins beside needs a place among GOMAXPROCS more than this
// loop does.
func (f *fleet) events() []unix.EpollEvent {
	if f.o.Doze == 0 {
		return f.poll.waitCoarse(f.nap())
	}
	events := f.poll.waitCoarse(0)
	if len(events) == 0 {
		doze := unix.NsecToTimespec(int64(f.o.Doze))
		_ = unix.Nanosleep(&doze, nil) // a signal may end it
	}
	return events
}

// admit lets idle clients sign in.
func (f *fleet) admit() {
	for len(f.idle) > 0 && f.busy < f.o.Busy && f.now() >= f.paused {
		last := len(f.idle) - 1
		t := &f.takers[f.idle[last]]
		f.idle = f.idle[:last]
		f.begin(t)
	}
}

func (f *fleet) nap() time.Duration {
	if f.accept.Load() && f.o.Stall && f.nextSlot < len(f.takers) {
		return 0
	}
	return updateNap
}

// acceptSome lets some of those accept that were told to wait.
func (f *fleet) acceptSome() {
	if !f.o.Stall || !f.accept.Load() {
		return
	}
	for range acceptBatch {
		if f.nextSlot == len(f.takers) {
			return
		}
		if t := &f.takers[f.nextSlot]; t.stage == stageOffered {
			f.offered.Add(-1)
			f.acceptOffer(t)
		}
		f.nextSlot++
	}
}

func (f *fleet) handle(event unix.EpollEvent) {
	if event.Fd == wakeToken.slot {
		var b [8]byte
		_, _ = rawRead(f.poll.wakeFD, b[:])
		return
	}
	t := &f.takers[event.Fd]
	switch {
	case t.generation != event.Pad || t.stage == stageIdle:
	case t.stage == stageConnecting:
		f.connected(t)
	case t.stage == stageStalled: // it is asked about its end only
		f.fail(t, FaultClosed.mishap())
	case t.stage == stageSkimming:
		f.skim(t)
	default:
		f.receive(t)
	}
}

// sweep ends those of whom nothing was heard for too long.
func (f *fleet) sweep(now time.Duration) {
	if now < f.sweepAt {
		return
	}
	f.sweepAt = now + sweepEvery
	for i := range f.takers {
		t := &f.takers[i]
		if t.stage.waits() && now >= t.deadline {
			f.fail(t, FaultTimeout.mishap())
		}
	}
}

func (f *fleet) closeAll() {
	for i := range f.takers {
		if t := &f.takers[i]; t.stage != stageIdle {
			rawClose(t.fd)
			t.stage = stageIdle
		}
	}
}
