package loop

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// Listen opens a non-blocking listening socket and returns its descriptor and address.
func Listen(addr netip.AddrPort) (int, netip.AddrPort, error) {
	sa := NewSockaddr(addr)
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
