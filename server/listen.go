package server

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/panjf2000/gnet/v2"
)

// reserve returns the addresses to listen on. Every loop binds them with SO_REUSEPORT. With
// that option a second server could bind them too and silently take half of the connections,
// so reserve binds them first without it. It holds all of them until the last is found;
// otherwise two listeners might get the same free port.
func reserve(listeners []Listener) (addrs []netip.AddrPort, err error) {
	for i := range listeners {
		l, lerr := net.Listen("tcp", listeners[i].Addr)
		if lerr != nil {
			return nil, listenError(listeners[i].Addr, lerr)
		}
		defer func() { err = errors.Join(err, l.Close()) }()
		got := l.Addr().(*net.TCPAddr).AddrPort()
		addrs = append(addrs, netip.AddrPortFrom(got.Addr().Unmap(), got.Port()))
	}
	return addrs, nil
}

func listenError(addr string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("listen on %s: %w (another process has it)", addr, err)
	}
	return fmt.Errorf("listen on %s: %w", addr, err)
}

// listenOn returns the addresses in gnet's notation. An empty host means every address of both
// families; "::" means only the IPv6 addresses.
func listenOn(addrs []netip.AddrPort) (words []string) {
	for _, addr := range addrs {
		if addr.Addr() == netip.IPv6Unspecified() {
			words = append(words, fmt.Sprintf("tcp://:%d", addr.Port()))
		} else {
			words = append(words, "tcp://"+addr.String())
		}
	}
	return words
}

// listenerOf returns the listener of a connection. The connection's LocalAddr is the
// listener's address, wildcard included. No two listeners have the same port.
func (s *Server) listenerOf(sock gnet.Conn) *Listener {
	if local, ok := sock.LocalAddr().(*net.TCPAddr); ok {
		for i := range s.addrs {
			if int(s.addrs[i].Port()) == local.Port {
				return &s.options.Listeners[i]
			}
		}
	}
	panic("server: a connection came by no listener")
}
