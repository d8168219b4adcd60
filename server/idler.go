package server

import (
	"reflect"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"
)

// idler sleeps instead of a reactor, where Go runs on one processor only.
//
// gnet sleeps in epoll_wait, a system call that Go's scheduler knows. The scheduler takes the
// processor away after 20 µs, wakes a thread that finds nothing to do, and has to find a
// processor again when the call returns. On a server that is neither idle nor busy, that is
// most of the cost of a login (see docs/performance.md). The idler is a goroutine that waits
// until the reactor's epoll is readable, in a system call that the scheduler does not see. The
// processor therefore stays with the idler. When the call returns, the idler yields, and the
// reactor finds its events without sleeping.
//
// Nothing else can run meanwhile. The idler therefore waits only while none of our work is in
// progress (idle), and only for idleNap. If nothing arrives in that time, the idler goes to
// sleep itself. Timers, a scrape or the end of an fsync are late by idleNap at most, and a
// server without clients does not stay awake. A reactor that finds its next events at once
// again and again is busy and does not need the idler; the idler then stays off for a while.
type idler struct {
	// static after construction
	idle  func() bool
	busy  *atomic.Bool // the reactor is in a callback
	epoll int
	other int // readable when others have work; below 0 if there is none

	awake atomic.Bool
	// away is for how many more events the idler stays off.
	away atomic.Int32
	// rested says that the reactor's next event is the first after a nap.
	rested atomic.Bool
	wake   chan struct{} // one slot
	stop   chan struct{}
	done   chan struct{}
}

// idleNap is the longest time that an idler keeps the processor.
const idleNap = time.Millisecond

// shortNap is the longest duration of a call that finds events at once.
const shortNap = 5 * time.Microsecond

// After busyNaps naps in a row that found events at once, the idler stays off for busyEvents
// events.
const busyNaps, busyEvents = 16, 2048

// newIdler starts an idler for a reactor, or returns nil where that is not possible. other is
// a descriptor that also ends a nap when it is readable.
func newIdler(r *reactor, other int, idle func() bool) *idler {
	if r.epoll < 0 {
		return nil
	}
	i := &idler{
		idle: idle, busy: &r.mail.busy, epoll: r.epoll, other: other,
		wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	go i.run()
	return i
}

// epollOf returns the descriptor of a loop's epoll, which gnet does not export, or -1 where
// the loop has none. gnet's version is pinned, and a test fails when the field moves.
func epollOf(loop gnet.EventLoop) int {
	if fd, ok := pollerOf(loop); ok && canNap {
		return fd
	}
	return -1
}

func pollerOf(loop gnet.EventLoop) (fd int, ok bool) {
	v := reflect.Indirect(reflect.ValueOf(loop))
	if v.Kind() != reflect.Struct {
		return 0, false
	}
	if v = v.FieldByName("poller"); !v.IsValid() || v.Kind() != reflect.Pointer || v.IsNil() {
		return 0, false
	}
	if v = v.Elem().FieldByName("fd"); !v.IsValid() || !v.CanInt() {
		return 0, false
	}
	return int(v.Int()), true
}

// poke records that the reactor has work, so that its next sleep may be short. Reactor.
func (i *idler) poke() {
	switch {
	case i == nil || i.awake.Load():
	case i.away.Load() > 0:
		i.away.Add(-1)
	default:
		i.awake.Store(true)
		i.wake <- struct{}{} // cannot block: one poke for each sleep
	}
}

// working returns whether the reactor has an active idler while other goroutines have work.
// Reactor.
func (i *idler) working() bool { return i != nil && i.away.Load() == 0 && !i.idle() }

// yield lets the goroutines run that the reactor has given work. Reactor, in a callback.
func (i *idler) yield() {
	if i.working() {
		runtime.Gosched()
	}
}

// yieldRested calls yield for the first event after a nap, so that the answer is written in
// the same callback. When events follow each other at once, batches are better. Reactor, in a
// callback.
func (i *idler) yieldRested() {
	if i != nil && i.rested.Load() {
		i.rested.Store(false)
		i.yield()
	}
}

// run is the idler's goroutine.
func (i *idler) run() {
	defer close(i.done)
	for {
		select {
		case <-i.wake:
		case <-i.stop:
			return
		}
		i.nap()
		i.awake.Store(false)
	}
}

// nap waits for the reactor's events repeatedly. It returns when none came for a while, or
// when so many came that waiting is a waste.
func (i *idler) nap() {
	for quick := 0; quick < busyNaps; {
		// All other goroutines that can run go first, the reactor last.
		runtime.Gosched()
		select {
		case <-i.stop:
			return
		default:
		}
		switch {
		case i.busy.Load(): // the reactor yields in a callback, and its reply waits
		case !i.idle():
			quick++
		default:
			began := time.Now()
			if !napUntilReadable(i.epoll, i.other, idleNap) {
				return
			}
			if quick++; time.Since(began) > shortNap {
				quick = 0
				i.rested.Store(true)
			}
		}
	}
	i.away.Store(busyEvents)
}

// close stops the idler. Not on the reactor.
func (i *idler) close() {
	if i != nil {
		close(i.stop)
		<-i.done
	}
}
