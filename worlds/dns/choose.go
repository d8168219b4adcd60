package dns

import (
	"math/bits"
	"net/netip"
	"slices"
	"time"
)

// source is what an answer is made of beside the question.
type source struct {
	logins []login
	// now is one reading of the clock: one answer, one moment.
	now time.Duration
	// serial is the zone's number, by the wall clock.
	serial uint32
	// random draws 64 even bits.
	random func() uint64
}

// below draws evenly from 0 … n-1. What bias there is is below n/2^64.
func (s *source) below(n uint64) uint64 {
	hi, _ := bits.Mul64(s.random(), n)
	return hi
}

// named are the servers that an answer may name: the healthy ones of which keep
// holds, those with room, or all of them if there is none.
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

// draw picks up to n servers without putting one back, each time with a
// probability of weight. They come in the order in which they were drawn, in the
// same room as all.
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

// byRoom weighs by free capacity. Full servers, which are named only when no
// other is, are alike.
func byRoom(l *login) uint64 { return max(uint64(l.free), 1) }

func evenly(*login) uint64 { return 1 }

// addresses draws servers of one address family for an A or AAAA answer. Two at
// one address are one record (RFC 2181, 5), but each has had its chance.
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

// srvWeights scales free capacity to the 16 bits of an SRV weight. Who has room
// keeps at least 1, since 0 is for servers that are hardly to be chosen (RFC 2782).
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
