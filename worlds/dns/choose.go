package dns

import (
	"math/bits"
	"net/netip"
	"slices"
	"time"
)

// source has everything besides the question from which an answer is made.
type source struct {
	logins []login
	// now is one reading of the clock, used for the whole answer.
	now time.Duration
	// serial is the zone's serial number, from the wall clock.
	serial uint32
	// random returns 64 uniform random bits.
	random func() uint64
}

// below returns a uniform random number in 0 … n-1. Its bias is below n/2^64.
func (s *source) below(n uint64) uint64 {
	hi, _ := bits.Mul64(s.random(), n)
	return hi
}

// named returns the servers that an answer may name. They are healthy, and keep returns true
// for them. It returns those with room, or all of them if none has room.
func (z *zone) named(s *source, keep func(*login) bool) []*login {
	room, full := make([]*login, 0, len(s.logins)), []*login(nil)
	for i := range s.logins {
		l := &s.logins[i]
		switch {
		case !z.healthy(l, s.now) || !keep(l):
		case l.free > 0:
			room = append(room, l)
		case len(room) == 0:
			full = append(full, l)
		}
	}
	if len(room) > 0 {
		return room
	}
	return full
}

// draw returns up to n different servers, drawn one by one with a probability proportional to
// weight, in the order in which they were drawn. It reorders all, and the result aliases it.
func (s *source) draw(all []*login, n int, weight func(*login) uint64) []*login {
	total := uint64(0)
	for _, l := range all {
		total += weight(l)
	}
	n = min(n, len(all))
	for i := range n {
		j, at := i, s.below(total)
		for ; at >= weight(all[j]); j++ {
			at -= weight(all[j])
		}
		all[i], all[j] = all[j], all[i]
		total -= weight(all[i])
	}
	return all[:n]
}

// byRoom returns the free capacity as the weight. All full servers have the same weight; they
// are named only if there is no other.
func byRoom(l *login) uint64 { return max(uint64(l.free), 1) }

func evenly(*login) uint64 { return 1 }

// addresses draws servers of one address family for an A or AAAA answer. Two servers at one
// address become one record (RFC 2181, 5), but each takes part in the draw.
func (z *zone) addresses(s *source, v6 bool) []*login {
	all := z.named(s, func(l *login) bool { return l.addr.Addr().Is6() == v6 })
	drawn := s.draw(all, z.maxAnswers, byRoom)
	seen := make([]netip.Addr, 0, maxMaxAnswers)
	return slices.DeleteFunc(drawn, func(l *login) bool {
		double := slices.Contains(seen, l.addr.Addr())
		seen = append(seen, l.addr.Addr())
		return double
	})
}

// services draws servers for an SRV answer.
func (z *zone) services(s *source) []*login {
	return s.draw(z.named(s, func(*login) bool { return true }), z.maxAnswers, evenly)
}

// srvWeights scales free capacity to the 16 bits of an SRV weight. A server with room has at
// least 1, because 0 is for servers that clients should hardly ever choose (RFC 2782).
func srvWeights(logins []*login) []uint16 {
	largest := uint64(0)
	for _, l := range logins {
		largest = max(largest, byRoom(l))
	}
	weights := make([]uint16, len(logins))
	for i, l := range logins {
		w := byRoom(l)
		if largest > 0xffff {
			w = max(w*0xffff/largest, 1)
		}
		weights[i] = uint16(w)
	}
	return weights
}
