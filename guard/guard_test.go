package guard

import (
	"net/netip"
	"testing"
	"time"
)

func TestCounts_KeepsNoZero(t *testing.T) {
	c := make(Counts[string])
	c.Add("a", 2)
	c.Add("b", 1)
	c.Add("a", -1)
	c.Add("b", -1)
	if len(c) != 1 || c["a"] != 1 || c["b"] != 0 {
		t.Errorf("%v", c)
	}
}

func TestPace_OneInAWhile(t *testing.T) {
	var p Pace
	for _, c := range []struct {
		at  time.Duration
		due bool
	}{{0, true}, {0, false}, {time.Minute - 1, false}, {time.Minute, true}, {time.Minute + 1, false}, {3 * time.Minute, true}} {
		if got := p.Due(c.at, time.Minute); got != c.due {
			t.Errorf("at %v: %v", c.at, got)
		}
	}
}

func TestPrefixes_Find(t *testing.T) {
	var p Prefixes[string]
	any := func(string) bool { return true }
	if _, found := p.Find(netip.MustParseAddr("192.0.2.1"), any); found {
		t.Error("the zero value holds something")
	}
	for _, network := range []string{"192.0.2.0/24", "192.0.2.7/32", "10.1.2.3/8", "2001:db8::/32", "::/8"} {
		p.Set(netip.MustParsePrefix(network), network)
	}
	for _, c := range []struct {
		addr, not, want string
	}{
		{"192.0.2.1", "", "192.0.2.0/24"},
		{"192.0.2.7", "192.0.2.0/24", "192.0.2.7/32"},
		{"192.0.2.7", "192.0.2.7/32", "192.0.2.0/24"},
		{"192.0.3.1", "", ""},
		{"10.9.9.9", "", "10.1.2.3/8"},
		{"2001:db8:9::1", "", "2001:db8::/32"},
		{"2001:db9::1", "", ""},
		{"::9", "", "::/8"},
		{"0.0.0.9", "", ""},
	} {
		got, found := p.Find(netip.MustParseAddr(c.addr), func(v string) bool { return v != c.not })
		if got != c.want || found != (c.want != "") {
			t.Errorf("%s is in %q, want %q", c.addr, got, c.want)
		}
	}
	if _, found := p.Find(netip.Addr{}, any); found {
		t.Error("the zero address is in a network")
	}
	if len(p.lengths4) != 3 || len(p.lengths6) != 2 {
		t.Errorf("lengths %v and %v", p.lengths4, p.lengths6)
	}
}

// The methods that run for each client or packet allocate nothing.
func TestGuard_AllocsNothing(t *testing.T) {
	var p Prefixes[*int64]
	one, addr := int64(1), netip.MustParseAddr("192.0.2.1")
	p.Set(netip.MustParsePrefix("192.0.2.0/24"), &one)
	rates, table, bucket := NewRates(), testTable(10, 20), NewBucket(1000, 0)
	rates.Take(addr, 1_000_000, 60)
	now := int64(0)
	if n := testing.AllocsPerRun(100, func() {
		now++
		rates.Take(addr, 1_000_000+now, 60)
		rates.Delay(addr, 1_000_000+now, 10, 100)
		table.Take(Provider(addr), time.Duration(now))
		bucket.Wait(time.Duration(now))
		bucket.Take(1)
		if _, found := p.Find(addr, func(v *int64) bool { return *v < now+10 }); !found {
			t.Fatal("not found")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
