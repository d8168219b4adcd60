package guard

import (
	"net/netip"
	"testing"
)

func TestRates_SharesAMinute(t *testing.T) {
	l := NewRates()
	one, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	taken := func(peer netip.Addr, now int64, tries int) (n int) {
		for range tries {
			if l.Take(peer, now, 60) {
				n++
			}
		}
		return n
	}
	if n := taken(one, 1_000_000, 100); n != 60 {
		t.Errorf("%d at once, want a minute's share of 60", n)
	}
	if n := taken(other, 1_000_000, 1); n != 1 {
		t.Error("another network has a share of its own")
	}
	if n := taken(one, 1_005_000, 100); n != 5 {
		t.Errorf("%d after five seconds, want 5", n)
	}
	if n := taken(netip.MustParseAddr("127.0.0.1"), 1_000_000, 1000); n != 1000 {
		t.Error("loopback is not limited")
	}
	if n := taken(netip.MustParseAddr("2001:db8::1"), 1_000_000, 60) + taken(netip.MustParseAddr("2001:db8::2"), 1_000_000, 60); n != 60 {
		t.Errorf("%d of two hosts of one household, want 60 together", n)
	}
	if !l.Take(one, 1_005_000, 0) {
		t.Error("0 is no limit")
	}
	l.Take(one, 2_000_000, 60)
	if len(l.whole) != 1 {
		t.Errorf("%d networks are kept, want that of now only", len(l.whole))
	}
}

func TestRates_IsBounded(t *testing.T) {
	l := NewRates()
	a := netip.AddrFrom4([4]byte{10})
	for range MaxNetworks + 1000 {
		l.Take(a, 1_000_000, 60)
		a = a.Next()
	}
	if len(l.whole) > MaxNetworks+1 {
		t.Fatalf("%d networks", len(l.whole))
	}
	if l.Take(a, 1_000_000, 60) {
		t.Error("what cannot be told apart shares one rate")
	}
}

// With many networks, expired entries are removed ten times a second. Otherwise a flood of
// networks would make the others share one rate.
func TestRates_SweepsMoreOftenWhenItIsHalfFull(t *testing.T) {
	l := NewRates()
	fill := func(n int) {
		for i := range n {
			l.Take(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 1_000_000, minute)
		}
	}
	fill(MaxNetworks/2 - 1)
	l.Take(netip.MustParseAddr("192.0.2.1"), 1_000_000+sweepBusy, minute)
	if len(l.whole) != MaxNetworks/2 {
		t.Fatalf("%d networks are kept, and there is room", len(l.whole))
	}
	fill(MaxNetworks)
	l.Take(netip.MustParseAddr("192.0.2.1"), 1_000_000+sweepBusy+1, minute)
	if len(l.whole) != 1 {
		t.Errorf("%d networks are kept, of which one is not over", len(l.whole))
	}
}
