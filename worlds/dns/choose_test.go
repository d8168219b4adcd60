package dns

import (
	"math"
	"slices"
	"testing"

	"github.com/miekg/dns"
	"pgregory.net/rapid"
)

const rounds = 40_000

// wantShares checks that each server of a fleet with room for 1, 2, … clients was drawn as
// often as its share of all room.
func wantShares(t *testing.T, what string, met []int) {
	t.Helper()
	total, room := 0, 0
	for i, n := range met {
		total += n
		room += i + 1
	}
	for i, n := range met {
		p := float64(i+1) / float64(room)
		// Five standard deviations of a binomial. The seed is fixed, so the result is always
		// the same.
		mean, dev := p*float64(total), math.Sqrt(p*(1-p)*float64(total))
		if math.Abs(float64(n)-mean) > 5*dev {
			t.Errorf("%s: server %d was met %d times of %d, want %.0f ± %.0f", what, i, n, total, mean, 5*dev)
		}
	}
}

// A client that uses the first address meets each server in proportion to its room, also if
// the answer does not have room for all servers.
func TestAddresses_FirstByFreeCapacity(t *testing.T) {
	for _, n := range []int{4, 20} {
		z := mustZone(t, nil)
		s := seeded(mustTable(t, z, fleet(n)...), 7)
		met := make([]int, n)
		for range rounds {
			first := z.answer(question(z.origin, dns.TypeA), s).Answer[0].(*dns.A)
			met[int(first.A[3])-1]++
		}
		wantShares(t, "first address", met)
	}
}

// A client that chooses among SRV records by their weights meets each server in proportion to
// its room. The share is exact if the answer has all servers.
func TestServices_ByWeight(t *testing.T) {
	const n = 8
	z := mustZone(t, nil)
	s := seeded(mustTable(t, z, fleet(n)...), 7)
	met := make([]int, n)
	for range rounds {
		answer := z.answer(question("_gatepass._tcp."+z.origin, dns.TypeSRV), s)
		total := uint64(0)
		for _, record := range answer.Answer {
			total += uint64(record.(*dns.SRV).Weight)
		}
		at := s.below(total)
		for i, record := range answer.Answer {
			if w := uint64(record.(*dns.SRV).Weight); at >= w {
				at -= w
				continue
			}
			met[int(answer.Extra[i].(*dns.A).A[3])-1]++
			break
		}
	}
	wantShares(t, "SRV", met)
}

// If an answer cannot have all servers, each is named equally often; the weights express the
// room.
func TestServices_DrawnEvenly(t *testing.T) {
	const n = 20
	z := mustZone(t, nil)
	s := seeded(mustTable(t, z, fleet(n)...), 7)
	met := map[string]int{}
	for range rounds / 4 {
		for _, l := range z.services(s) {
			met[l.target]++
		}
	}
	mean := float64(rounds / 4 * DefaultMaxAnswers / n)
	for target, count := range met {
		if math.Abs(float64(count)-mean) > 5*math.Sqrt(mean) {
			t.Errorf("%s was named %d times, want %.0f", target, count, mean)
		}
	}
	if len(met) != n {
		t.Errorf("%d of %d servers were named", len(met), n)
	}
}

// For any room and any random numbers, the answer has as many servers as asked for, each once.
func TestDraw_WithoutReplacement(t *testing.T) {
	z := mustZone(t, nil)
	whole := mustTable(t, z, fleet(40)...)
	rapid.Check(t, func(t *rapid.T) {
		logins := slices.Clone(whole[:rapid.IntRange(0, len(whole)).Draw(t, "servers")])
		for i := range logins {
			logins[i].free = rapid.Uint32().Draw(t, "room")
		}
		s := &source{logins: logins, now: testNow, serial: testSerial, random: func() uint64 { return rapid.Uint64().Draw(t, "random") }}
		all := z.named(s, func(*login) bool { return true })
		limit := rapid.IntRange(1, maxMaxAnswers).Draw(t, "limit")
		drawn := s.draw(slices.Clone(all), limit, byRoom)
		if len(drawn) != min(limit, len(all)) {
			t.Fatalf("%d drawn of %d", len(drawn), len(all))
		}
		for i, l := range drawn {
			if !slices.Contains(all, l) || slices.Contains(drawn[:i], l) {
				t.Fatalf("%s: not there, or twice", l.target)
			}
		}
	})
}

func TestSRVWeights(t *testing.T) {
	for name, c := range map[string]struct {
		free []uint32
		want []uint16
	}{
		"as they are":        {[]uint32{1, 7, 65535}, []uint16{1, 7, 65535}},
		"scaled":             {[]uint32{1, 65536, 131072}, []uint16{1, 32767, 65535}},
		"all full":           {[]uint32{0, 0}, []uint16{1, 1}},
		"the largest of all": {[]uint32{math.MaxUint32, math.MaxUint32 / 2}, []uint16{65535, 32767}},
		"none":               {nil, []uint16{}},
	} {
		var logins []*login
		for _, free := range c.free {
			logins = append(logins, &login{free: free})
		}
		if got := srvWeights(logins); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}
