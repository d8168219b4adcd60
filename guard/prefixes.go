package guard

import (
	"net/netip"
	"slices"
)

// Prefixes is a set of networks with a value for each. An address is looked up once for
// each length of prefix in the set, and not once for each network. The zero value is
// empty.
type Prefixes[V any] struct {
	values map[netip.Prefix]V
	// lengths4 and lengths6 are the lengths that occur.
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

// Find returns the value of a network that holds addr and whose value holds tells true
// of.
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
