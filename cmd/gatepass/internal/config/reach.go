package config

import (
	"net"
	"net/netip"

	"gatepass/worlds"
)

// Reachable returns the address of this machine that clients of dev are told: the
// advertised one, or the one on which it listens. If it listens on every address, it is
// the address from which this machine connects to others, which programs on this machine
// reach as well. It is loopback if there is no other.
func (c *Config) Reachable() string {
	if !worlds.EveryAddress(c.Advertise) {
		if host, _, err := net.SplitHostPort(c.Advertise); err == nil {
			return host
		}
	}
	if ip := ownAddress(); ip.IsValid() {
		return ip.String()
	}
	return "127.0.0.1"
}

// ownAddress returns the IPv4 address from which this machine connects to others, or that
// of an interface that is up. It returns the zero Addr if there is none but loopback.
func ownAddress() netip.Addr {
	// To connect a UDP socket sends nothing: the kernel only looks up the route.
	if conn, err := net.Dial("udp4", "192.0.2.1:9"); err == nil {
		defer conn.Close()
		if at, ok := conn.LocalAddr().(*net.UDPAddr); ok && tellable(at.AddrPort().Addr()) {
			return at.AddrPort().Addr().Unmap()
		}
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return netip.Addr{}
	}
	for _, each := range all {
		if prefix, err := netip.ParsePrefix(each.String()); err == nil && tellable(prefix.Addr()) {
			return prefix.Addr()
		}
	}
	return netip.Addr{}
}

// tellable reports whether clients of every era can be told that address.
func tellable(ip netip.Addr) bool {
	ip = ip.Unmap()
	return ip.Is4() && ip.IsGlobalUnicast() && worlds.CheckIP(ip) == nil
}
