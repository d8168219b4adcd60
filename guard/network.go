package guard

import "net/netip"

// Network returns the network that clients of an address are counted by: the address
// itself, or the first 64 bits of an IPv6 address, which one household or host gets. It
// is the zero Prefix, which stands for no limit, for loopback, where proxies and tests
// are, and for the zero Addr.
func Network(addr netip.Addr) netip.Prefix {
	if addr.IsLoopback() {
		return netip.Prefix{}
	}
	return prefixOf(addr, 32, 64)
}

// Provider returns the network that a sender is counted by whose address may be forged,
// as a number that is never 0: the first 24 bits of an IPv4 address, or the first 56 bits
// of an IPv6 address, which one customer of a provider gets. Loopback counts like others.
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

// prefixOf is the network of the first bits of an address; the zero Prefix for the zero
// Addr. An IPv4 address that is written as IPv6 counts as IPv4.
func prefixOf(addr netip.Addr, bits4, bits6 int) netip.Prefix {
	addr = addr.Unmap()
	bits := bits6
	if addr.Is4() {
		bits = bits4
	}
	network, _ := addr.Prefix(bits) // fails for the zero Addr only
	return network
}
