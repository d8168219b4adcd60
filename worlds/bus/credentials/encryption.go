package credentials

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// DemandsTLS reports whether a connection to a bus must be encrypted. urls are addresses
// of the form nats://host:port or tls://host:port with commas between them. The connection
// must be encrypted if a CA file is named, or if one of the addresses has the scheme tls
// or is not on loopback. The error names an address of another form.
func DemandsTLS(urls, ca string) (bool, error) {
	demand := ca != ""
	for one := range strings.SplitSeq(urls, ",") {
		u, err := url.Parse(strings.TrimSpace(one))
		if err != nil || u.Host == "" || (u.Scheme != "nats" && u.Scheme != "tls") {
			return false, fmt.Errorf("url: %q is not nats://host:port or tls://host:port", one)
		}
		demand = demand || u.Scheme == "tls" || !Loopback(u.Hostname())
	}
	return demand, nil
}

// Loopback reports whether a host is surely this machine.
func Loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
