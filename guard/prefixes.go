package guard

import (
	"net/netip"
	"slices"
)

// Prefixes is a set of networks with a value for each. Find does one look-up for each prefix
// length in the set, not one for each network. The zero value is empty.
type Prefixes[V any] struct {
	values map[netip.Prefix]V
	// lengths4 and lengths6 are the prefix lengths in the set.
	lengths4, lengths6 []int
}

// Set sets the value of a network.
func (p *Prefixes[V]) Set(network netip.Prefix, value V) {
	network = network.Masked()
	if p.values == nil {
		p.values = make(map[netip.Prefix]V)
	}
	p.values[network] = value
	lengths := &p.lengths4
	if network.Addr().Is6() {
		lengths = &p.lengths6
	}
	if !slices.Contains(*lengths, network.Bits()) {
		*lengths = append(*lengths, network.Bits())
	}
}

// Find returns the value of a network that contains addr and for whose value holds returns
// true.
func (p *Prefixes[V]) Find(addr netip.Addr, holds func(V) bool) (value V, found bool) {
	lengths := p.lengths4
	if addr.Is6() {
		lengths = p.lengths6
	}
	for _, bits := range lengths {
		network, err := addr.Prefix(bits)
		if err != nil {
			continue // the zero Addr
		}
		if v, known := p.values[network]; known && holds(v) {
			return v, true
		}
	}
	return value, false
}
