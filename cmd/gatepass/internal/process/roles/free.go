package roles

import "net"

// freeOr is the address, or one with a free port where somebody has that one
// already: two `gatepass dev` do not get into each other's way.
func freeOr(address string) string {
	l, err := net.Listen("tcp", address)
	if err == nil {
		_ = l.Close()
		return l.Addr().String()
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if l, err = net.Listen("tcp", net.JoinHostPort(host, "0")); err != nil {
		return address // whoever listens in earnest says why it cannot
	}
	_ = l.Close()
	return l.Addr().String()
}
