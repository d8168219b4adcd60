package load

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"

	"golang.org/x/sys/unix"
)

// Floor is the least a login server can do: one bare epoll loop that answers
// each request with canned bytes of the right length. No arithmetic, no
// accounts, no queue. What a real server costs above it is its own.
//
// It trusts its client to send each request in one segment and to wait for the
// answer, as the load engine does, and looks at nothing but the opcode and the
// build. It must never face a network.
type Floor struct {
	poll     *poller
	listener int
	addr     netip.AddrPort
	canned   canned
	// modern says by descriptor whether its client reads the 32-byte proof
	// reply. One byte a connection is all the state there is.
	modern []bool
	buf    [512]byte
}

// floorConns is how many connections the floor takes: no descriptor above it.
const floorConns = 1 << 16

// ListenFloor opens the floor's socket; clients can connect from then on. Port
// 0 takes a free one.
func ListenFloor(addr netip.AddrPort) (*Floor, error) {
	f := &Floor{canned: newCanned(), modern: make([]bool, floorConns)}
	var err error
	if f.listener, f.addr, err = listen(addr); err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	if f.poll, err = newPoller(); err != nil {
		_ = unix.Close(f.listener)
		return nil, err
	}
	if e := f.poll.add(f.listener, unix.EPOLLIN, token{slot: int32(f.listener)}); e != 0 {
		f.close()
		return nil, fmt.Errorf("epoll_ctl: %w", e)
	}
	return f, nil
}

// Addr is where the floor listens.
func (f *Floor) Addr() netip.AddrPort { return f.addr }

// Serve answers until ctx ends, then closes everything. It locks its goroutine
// to a thread and never gives that up while it runs.
func (f *Floor) Serve(ctx context.Context) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer f.close()
	// The only way out is the wake that this asks for, so nobody writes to a
	// closed poller.
	defer context.AfterFunc(ctx, f.poll.wake)()
	for {
		for _, event := range f.poll.wait(-1) {
			switch event.Fd {
			case wakeToken.slot:
				return nil
			case int32(f.listener):
				f.accept()
			default:
				f.answer(int(event.Fd))
			}
		}
	}
}

// accept takes one connection; where more wait, the next poll says so, which
// costs less than asking for one too many each time.
func (f *Floor) accept() {
	fd, e := rawAccept(f.listener)
	if e != 0 {
		return
	}
	if fd >= floorConns || f.poll.add(fd, unix.EPOLLIN, token{slot: int32(fd)}) != 0 {
		rawClose(fd)
	}
}

// answer reads one request and writes its reply, or closes at the end of the
// stream, at a fault, and at an opcode it does not know.
func (f *Floor) answer(fd int) {
	n, e := rawRead(fd, f.buf[:])
	if e == unix.EAGAIN || e == unix.EINTR {
		return
	}
	if e != 0 || n == 0 {
		rawClose(fd)
		return
	}
	reply := f.reply(fd, f.buf[:n])
	if reply == nil {
		rawClose(fd)
		return
	}
	_, _ = rawWrite(fd, reply)
}

// reply picks the canned bytes. The challenge tells the build, which decides
// the layouts of the rest.
func (f *Floor) reply(fd int, request []byte) []byte {
	switch request[0] {
	case opChallenge:
		if len(request) < challengeMin {
			return nil
		}
		f.modern[fd] = uint16(request[11])|uint16(request[12])<<8 > lastVanillaBuild
		return f.canned.challenge
	case opProof:
		return f.canned.of(f.modern[fd]).proof
	case opRealmList:
		return f.canned.of(f.modern[fd]).list
	}
	return nil
}

func (f *Floor) close() {
	_ = unix.Close(f.listener)
	f.poll.close()
}

// listen opens a non-blocking listening socket and returns the address it got.
func listen(addr netip.AddrPort) (int, netip.AddrPort, error) {
	sa := newSockaddr(addr)
	fd, err := unix.Socket(sa.family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, netip.AddrPort{}, err
	}
	got, err := bindAndListen(fd, addr)
	if err != nil {
		_ = unix.Close(fd)
		return 0, netip.AddrPort{}, err
	}
	return fd, got, nil
}

func bindAndListen(fd int, addr netip.AddrPort) (netip.AddrPort, error) {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return netip.AddrPort{}, err
	}
	var to unix.Sockaddr = &unix.SockaddrInet4{Port: int(addr.Port())}
	if ip := addr.Addr().Unmap(); ip.Is4() {
		to.(*unix.SockaddrInet4).Addr = ip.As4()
	} else {
		to = &unix.SockaddrInet6{Port: int(addr.Port()), Addr: ip.As16()}
	}
	if err := unix.Bind(fd, to); err != nil {
		return netip.AddrPort{}, err
	}
	if err := unix.Listen(fd, unix.SOMAXCONN); err != nil {
		return netip.AddrPort{}, err
	}
	got, err := unix.Getsockname(fd)
	if err != nil {
		return netip.AddrPort{}, err
	}
	return netip.AddrPortFrom(addr.Addr(), portOf(got)), nil
}

func portOf(sa unix.Sockaddr) uint16 {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return uint16(sa.Port)
	case *unix.SockaddrInet6:
		return uint16(sa.Port)
	}
	return 0
}
