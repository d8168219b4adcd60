package loop

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The calls in this file do not tell the Go scheduler that they enter the kernel
// (RawSyscall). None of them can block, because every descriptor is non-blocking, and
// the scheduler's bookkeeping would be a tenth of the measured time.

// Sockaddr is an address in the kernel's form. It is made once and used for every
// connection.
type Sockaddr struct {
	raw    [unix.SizeofSockaddrInet6]byte
	length uintptr
	family int
}

// NewSockaddr returns the kernel's form of an address.
func NewSockaddr(a netip.AddrPort) Sockaddr {
	var s Sockaddr
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

// setPort stores a port in network byte order, as a raw address needs it.
func setPort(dst *[2]byte, port uint16) { dst[0], dst[1] = byte(port>>8), byte(port) }

// Socket makes a non-blocking TCP socket for connections to a.
func Socket(a *Sockaddr) (int, unix.Errno) {
	fd, _, e := unix.RawSyscall(unix.SYS_SOCKET, uintptr(a.family),
		unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	return int(fd), e
}

// Bind sets the socket's source address and leaves the choice of the port to connect.
// Otherwise bind would have to find a port that is free towards every target.
func Bind(fd int, a *Sockaddr) unix.Errno {
	on := int32(1)
	_, _, e := unix.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT,
		uintptr(unsafe.Pointer(&on)), unsafe.Sizeof(on), 0)
	if e != 0 {
		return e
	}
	_, _, e = unix.RawSyscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&a.raw)), a.length)
	return e
}

// Connect starts to connect the socket. It returns EINPROGRESS where that takes time.
func Connect(fd int, a *Sockaddr) unix.Errno {
	_, _, e := unix.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&a.raw)), a.length)
	return e
}

// Accept returns the next connection of a listening socket, non-blocking.
func Accept(fd int) (int, unix.Errno) {
	n, _, e := unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(fd), 0, 0, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
	return int(n), e
}

// Read reads into b, which must not be empty.
func Read(fd int, b []byte) (int, unix.Errno) {
	n, _, e := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	return int(n), e
}

// Write writes b, which must not be empty. A write to a closed connection returns
// EPIPE; the Go runtime ignores the signal.
func Write(fd int, b []byte) (int, unix.Errno) {
	n, _, e := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	return int(n), e
}

// Close closes a descriptor.
func Close(fd int) { _, _, _ = unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) }

// Discard discards up to len(scratch) received bytes. MSG_TRUNC on a TCP socket makes
// the kernel drop them without a copy.
func Discard(fd int, scratch []byte) (int, unix.Errno) {
	return receive(fd, scratch, unix.MSG_TRUNC)
}

// Peek copies received bytes into b and leaves them in the socket.
func Peek(fd int, b []byte) (int, unix.Errno) { return receive(fd, b, unix.MSG_PEEK) }

func receive(fd int, b []byte, flags uintptr) (int, unix.Errno) {
	n, _, e := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
		flags|unix.MSG_DONTWAIT, 0, 0)
	return int(n), e
}
