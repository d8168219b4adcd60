package roles

import "net"

// freeOr returns the address, or the same host with a free port if the port is in use, so
// that two processes of `gatepass dev` can run at once.
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
		return address // the listener that needs the address reports the error
	}
	_ = l.Close()
	return l.Addr().String()
}
