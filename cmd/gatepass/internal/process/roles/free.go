package roles

import "net"

// freeOr returns the address, or the same host with port 0 if its port is in use, so that
// two processes of `gatepass dev` can run at once. Port 0 stays as it is: the listener
// picks a free port itself, which no other process can take before.
func freeOr(address string) string {
	l, err := net.Listen("tcp", address)
	if err == nil {
		_ = l.Close()
		return address
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address // the listener that needs the address reports the error
	}
	return net.JoinHostPort(host, "0")
}

// freeNow returns what freeOr does with a port that is free now, for another process to
// listen on. The port may be taken before that process starts.
func freeNow(address string) string {
	free := freeOr(address)
	l, err := net.Listen("tcp", free)
	if err != nil {
		return free
	}
	_ = l.Close()
	return l.Addr().String()
}
