package load

import (
	"fmt"
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The calls of this file go to the kernel without telling the Go scheduler
// (RawSyscall): nothing that handles sockets here may sleep, every descriptor
// is non-blocking, and the scheduler's two notes a call would be a tenth of the
// time measured. Only poller.wait sleeps; see there.

// pollBatch is how many events one wait takes at most.
const pollBatch = 256

// poller is an epoll set and a way to wake the loop that waits on it. All
// methods but wake belong to the loop's goroutine.
type poller struct {
	fd     int
	wakeFD int
	events [pollBatch]unix.EpollEvent
}

func newPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll_create1: %w", err)
	}
	wakeFD, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	p := &poller{fd: fd, wakeFD: wakeFD}
	if err := p.add(wakeFD, unix.EPOLLIN, wakeToken); err != 0 {
		p.close()
		return nil, fmt.Errorf("epoll_ctl: %w", err)
	}
	return p, nil
}

func (p *poller) close() {
	_ = unix.Close(p.wakeFD)
	_ = unix.Close(p.fd)
}

// token names the owner of an event: what the loop wants to get back. A slot
// that was reused within one batch is told from its predecessor by the
// generation.
type token struct {
	slot       int32
	generation int32
}

// wakeToken belongs to the poller's own descriptor; no slot is negative.
var wakeToken = token{slot: -1}

// add watches fd. Events are level-triggered.
func (p *poller) add(fd int, events uint32, t token) unix.Errno {
	return p.control(unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: t.slot, Pad: t.generation})
}

// change watches fd, which add was called for, for other events.
func (p *poller) change(fd int, events uint32, t token) unix.Errno {
	return p.control(unix.EPOLL_CTL_MOD, fd, &unix.EpollEvent{Events: events, Fd: t.slot, Pad: t.generation})
}

func (p *poller) control(op, fd int, event *unix.EpollEvent) unix.Errno {
	_, _, e := unix.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(p.fd), uintptr(op), uintptr(fd),
		uintptr(unsafe.Pointer(event)), 0, 0)
	return e
}

// wait sleeps until an event or for d at most (negative: for ever), and returns
// the events, which are good until the next wait. A signal ends it early
// without events.
//
// It too hides from the scheduler: a thread that sleeps here keeps its place
// among GOMAXPROCS, which spares the hand-over at each sleep and the race to
// get it back at each wake. The runtime gets it out by a signal when it must
// (garbage collection, another goroutine that is ready), so a process must have
// more places than loops only to be quick, not to be correct.
func (p *poller) wait(d time.Duration) []unix.EpollEvent {
	var limit *unix.Timespec
	if d >= 0 {
		ts := unix.NsecToTimespec(int64(d))
		limit = &ts
	}
	n, _, e := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT2, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events[0])),
		pollBatch, uintptr(unsafe.Pointer(limit)), 0, 0)
	if e == unix.ENOSYS {
		return p.waitCoarse(d)
	}
	if e != 0 {
		return nil
	}
	return p.events[:n]
}

// waitCoarse is wait for kernels before 5.11, to the millisecond.
func (p *poller) waitCoarse(d time.Duration) []unix.EpollEvent {
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

// wake makes the present or next wait return. Any goroutine may call it.
func (p *poller) wake() {
	one := [8]byte{1}
	_, _ = unix.Write(p.wakeFD, one[:])
}

// sockaddr is an address in the kernel's form, made once and used for every
// connection.
type sockaddr struct {
	raw    [unix.SizeofSockaddrInet6]byte
	length uintptr
	family int
}

func newSockaddr(a netip.AddrPort) sockaddr {
	var s sockaddr
	ip := a.Addr().Unmap()
	if ip.Is4() {
		sa := (*unix.RawSockaddrInet4)(unsafe.Pointer(&s.raw))
		sa.Family, sa.Addr = unix.AF_INET, ip.As4()
		setPort((*[2]byte)(unsafe.Pointer(&sa.Port)), a.Port())
		s.length, s.family = unix.SizeofSockaddrInet4, unix.AF_INET
		return s
	}
	sa := (*unix.RawSockaddrInet6)(unsafe.Pointer(&s.raw))
	sa.Family, sa.Addr = unix.AF_INET6, ip.As16()
	setPort((*[2]byte)(unsafe.Pointer(&sa.Port)), a.Port())
	s.length, s.family = unix.SizeofSockaddrInet6, unix.AF_INET6
	return s
}

// setPort stores a port in network order, which a raw address wants.
func setPort(dst *[2]byte, port uint16) { dst[0], dst[1] = byte(port>>8), byte(port) }

func rawSocket(family int) (int, unix.Errno) {
	fd, _, e := unix.RawSyscall(unix.SYS_SOCKET, uintptr(family),
		unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	return int(fd), e
}

// rawBind gives the socket its source address but leaves the port to connect:
// bind alone would have to find a port that is free towards every target.
func rawBind(fd int, a *sockaddr) unix.Errno {
	on := int32(1)
	_, _, e := unix.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT,
		uintptr(unsafe.Pointer(&on)), unsafe.Sizeof(on), 0)
	if e != 0 {
		return e
	}
	_, _, e = unix.RawSyscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&a.raw)), a.length)
	return e
}

func rawConnect(fd int, a *sockaddr) unix.Errno {
	_, _, e := unix.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&a.raw)), a.length)
	return e
}

func rawAccept(fd int) (int, unix.Errno) {
	n, _, e := unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(fd), 0, 0, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
	return int(n), e
}

// rawRead reads into b, which must not be empty.
func rawRead(fd int, b []byte) (int, unix.Errno) {
	n, _, e := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	return int(n), e
}

// rawWrite writes b, which must not be empty. A socket whose peer is gone gives
// EPIPE and no signal: the Go runtime ignores SIGPIPE on sockets.
func rawWrite(fd int, b []byte) (int, unix.Errno) {
	n, _, e := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	return int(n), e
}

func rawClose(fd int) { _, _, _ = unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) }
