package guard

import "net/netip"

// Network returns the network for which clients of an address are counted: the address itself,
// or the first 64 bits of an IPv6 address, which one household or host gets. It returns the
// zero Prefix, which means no limit, for the zero Addr and for loopback, which proxies and
// tests use.
func Network(addr netip.Addr) netip.Prefix {
	if addr.IsLoopback() {
		return netip.Prefix{}
	}
	return prefixOf(addr, 32, 64)
}

// Provider returns the network for which a sender is counted whose address may be forged. The
// result is a number that is never 0: the first 24 bits of an IPv4 address, or the first 56
// bits of an IPv6 address, which one customer of a provider gets. Loopback counts like other
// addresses.
func Provider(addr netip.Addr) uint64 {
	network := prefixOf(addr, 24, 56).Addr()
	if network.Is4() {
		b := network.As4()
		return 1<<62 | uint64(b[0])<<16 | uint64(b[1])<<8 | uint64(b[2])
	}
	n := uint64(1)
	b := network.As16()
	for _, c := range b[:7] {
		n = n<<8 | uint64(c)
	}
	return n
}

// prefixOf returns the network of the first bits of an address, or the zero Prefix for the
// zero Addr. An IPv4 address in IPv6 notation counts as IPv4.
func prefixOf(addr netip.Addr, bits4, bits6 int) netip.Prefix {
	addr = addr.Unmap()
	bits := bits6
	if addr.Is4() {
		bits = bits4
	}
	network, _ := addr.Prefix(bits) // fails for the zero Addr only
	return network
}
