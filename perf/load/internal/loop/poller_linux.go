package loop

import (
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// SweepEvery is the interval at which a loop checks time limits.
	SweepEvery = 50 * time.Millisecond
	// ConnectPause is how long a loop starts nothing after a connection failed, so that
	// it does not retry without end.
	ConnectPause = 10 * time.Millisecond
)

// pollBatch is the largest number of events that one wait returns.
const pollBatch = 256

// Poller is an epoll set with a way to wake the loop that waits on it. Only the loop's
// goroutine may call its methods, except wake, which any goroutine may call.
type Poller struct {
	fd     int
	wakeFD int
	events [pollBatch]unix.EpollEvent
}

func NewPoller() (*Poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll_create1: %w", err)
	}
	wakeFD, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	p := &Poller{fd: fd, wakeFD: wakeFD}
	if err := p.Add(wakeFD, unix.EPOLLIN, Token{Slot: WakeSlot}); err != 0 {
		p.Close()
		return nil, fmt.Errorf("epoll_ctl: %w", err)
	}
	return p, nil
}

func (p *Poller) Close() {
	_ = unix.Close(p.wakeFD)
	_ = unix.Close(p.fd)
}

// Token is what the loop gets back with an event. The slot names the owner of the
// descriptor. The generation tells two owners apart that used the same slot within one
// batch of events.
type Token struct {
	Slot       int32
	Generation int32
}

// WakeSlot is the slot of the poller's own descriptor. Slots of other owners are not
// negative.
const WakeSlot int32 = -1

// Add watches fd for events, which are level-triggered.
func (p *Poller) Add(fd int, events uint32, t Token) unix.Errno {
	return p.control(unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: t.Slot, Pad: t.Generation})
}

// Change replaces the events for which fd is watched. add must come first.
func (p *Poller) Change(fd int, events uint32, t Token) unix.Errno {
	return p.control(unix.EPOLL_CTL_MOD, fd, &unix.EpollEvent{Events: events, Fd: t.Slot, Pad: t.Generation})
}

// Remove stops watching fd, which stays open.
func (p *Poller) Remove(fd int) { _ = p.control(unix.EPOLL_CTL_DEL, fd, &unix.EpollEvent{}) }

func (p *Poller) control(op, fd int, event *unix.EpollEvent) unix.Errno {
	_, _, e := unix.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(p.fd), uintptr(op), uintptr(fd),
		uintptr(unsafe.Pointer(event)), 0, 0)
	return e
}

// Wait sleeps until there is an event, or for d at most (negative: no limit), and
// returns the events. They are valid until the next wait. A signal ends the wait early,
// without events.
//
// The scheduler does not know of this sleep either: the thread keeps its place among
// GOMAXPROCS, which saves handing it over at each sleep and getting it back at each wake.
// Where the runtime needs the place (for garbage collection or another runnable
// goroutine), it interrupts the thread by a signal. A process with no more places than
// loops is therefore slower, but correct.
func (p *Poller) Wait(d time.Duration) []unix.EpollEvent {
	var limit *unix.Timespec
	if d >= 0 {
		ts := unix.NsecToTimespec(int64(d))
		limit = &ts
	}
	n, _, e := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT2, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events[0])),
		pollBatch, uintptr(unsafe.Pointer(limit)), 0, 0)
	if e == unix.ENOSYS {
		return p.WaitCoarse(d)
	}
	if e != 0 {
		return nil
	}
	return p.events[:n]
}

// WaitCoarse is wait with limits rounded up to a millisecond. It works on kernels before
// 5.11 and tells the scheduler that the thread sleeps.
func (p *Poller) WaitCoarse(d time.Duration) []unix.EpollEvent {
	ms := -1
	if d >= 0 {
		ms = int((d + time.Millisecond - 1) / time.Millisecond)
	}
	n, err := unix.EpollWait(p.fd, p.events[:], ms)
	if err != nil {
		return nil
	}
	return p.events[:n]
}

// Wake makes the current or the next wait return. Any goroutine may call it.
func (p *Poller) Wake() {
	one := [8]byte{1}
	_, _ = unix.Write(p.wakeFD, one[:])
}

// ClearWake takes note of a wake, so that the next wait sleeps again.
func (p *Poller) ClearWake() {
	var b [8]byte
	_, _ = Read(p.wakeFD, b[:])
}
