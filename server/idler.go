package server

import (
	"reflect"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"
)

// idler sleeps in a reactor's stead, where Go runs on one processor only.
//
// gnet sleeps in epoll_wait as Go's scheduler likes it: the scheduler sees a
// system call, takes the processor away 20 µs into it, wakes a thread that finds
// nothing to do, and has to find a processor again when the call returns. On a
// server that is neither idle nor busy that is most of what a login costs (see
// docs/performance.md). The idler is a goroutine that waits for the reactor's
// epoll to become readable in a system call that the scheduler does not see, so
// the processor just waits with it. When the call returns it steps aside, and
// the reactor finds its events there without sleeping.
//
// Nothing else can run meanwhile, so it does this only when nothing of ours is
// under way (idle), only for idleNap, and it goes to sleep itself when nothing
// came in that time: timers, a scrape, an fsync that ends are late by idleNap at
// most, and a server without clients is not kept awake. A reactor that finds its
// next events there again and again is busy and has no use for it; then it stays
// away for a while.
type idler struct {
	// static after construction
	idle  func() bool
	busy  *atomic.Bool // the reactor is in a callback
	epoll int
	other int // readable when others have work; below 0 for none

	awake atomic.Bool
	// away is for how many events the reactor is left alone.
	away atomic.Int32
	// rested says that the reactor's next event is the first after a nap.
	rested atomic.Bool
	wake   chan struct{} // one slot
	stop   chan struct{}
	done   chan struct{}
}

// idleNap is the longest time for which an idler keeps the processor.
const idleNap = time.Millisecond

// shortNap is how long a call takes that finds events there already.
const shortNap = 5 * time.Microsecond

// After busyNaps times in a row in which there was no time for a nap, the idler
// stays away for busyEvents events.
const busyNaps, busyEvents = 16, 2048

// newIdler starts an idler for a reactor; nil where that cannot be. other is what ends
// a nap besides.
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

// epollOf reads the descriptor of a loop's epoll, which gnet does not tell; -1 where it
// is none that can be asked. gnet's version is pinned, and a test sees when the field
// moves.
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

// poke says that the reactor has something to do, so that its next sleep may be
// short. Reactor.
func (i *idler) poke() {
	switch {
	case i == nil || i.awake.Load():
	case i.away.Load() > 0:
		i.away.Add(-1)
	default:
		i.awake.Store(true)
		i.wake <- struct{}{} // cannot block: one sleep, one poke
	}
}

// working tells whether the reactor has an idler now, and others have work.
// Reactor.
func (i *idler) working() bool { return i != nil && i.away.Load() == 0 && !i.idle() }

// yield lets those run who have work that the reactor has brought. Reactor, in a
// callback.
func (i *idler) yield() {
	if i.working() {
		runtime.Gosched()
	}
}

// yieldRested is yield for the first event after a nap: its answer is then
// written in the same callback. Where events follow each other at once, work is
// better done in batches. Reactor, in a callback.
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

// nap waits for the reactor's events again and again, until there were none for
// a while or so many that waiting is a waste.
func (i *idler) nap() {
	for quick := 0; quick < busyNaps; {
		// Everybody who can run goes first, the reactor last.
		runtime.Gosched()
		select {
		case <-i.stop:
			return
		default:
		}
		switch {
		case i.busy.Load(): // it steps aside in a callback (yield), and its reply waits
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

// close ends the idler. Not on the reactor.
func (i *idler) close() {
	if i != nil {
		close(i.stop)
		<-i.done
	}
}
