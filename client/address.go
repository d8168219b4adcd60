package client

import (
	"net"
	"strconv"
	"strings"
)

// DefaultPort is the port at which login servers listen for the native protocol.
const DefaultPort = 3725

// ParseAddress returns host:port for HOST or HOST:PORT, with DefaultPort if there is none. An
// IPv6 address may have brackets. Other addresses are ErrAddress.
func ParseAddress(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = strings.TrimSuffix(strings.TrimPrefix(address, "["), "]"), strconv.Itoa(DefaultPort)
		if strings.Contains(host, ":") && !isIPv6(host) {
			return "", ErrAddress
		}
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 || host == "" || strings.ContainsAny(host, "/@?#[] \t") {
		return "", ErrAddress
	}
	return net.JoinHostPort(host, port), nil
}

// isIPv6 reports whether host is an IPv6 address. It ignores the zone.
func isIPv6(host string) bool {
	address, _, _ := strings.Cut(host, "%")
	return net.ParseIP(address) != nil
}
