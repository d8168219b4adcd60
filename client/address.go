package client

import (
	"net"
	"strconv"
	"strings"
)

// DefaultPort is where login servers listen for the native protocol.
const DefaultPort = 3725

// ParseAddress takes HOST or HOST:PORT, an IPv6 address with or without brackets, and
// returns host:port with DefaultPort where there was none. Else it is ErrAddress.
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

// isIPv6 leaves the zone out, which has no rules.
func isIPv6(host string) bool {
	address, _, _ := strings.Cut(host, "%")
	return net.ParseIP(address) != nil
}
