package logic

import (
	"net/netip"
	"testing"
	"time"

	"gatepass/codec"
)

func TestRateLimit_SharesAMinute(t *testing.T) {
	l := rateLimit{whole: make(map[netip.Prefix]int64)}
	one, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	taken := func(peer netip.Addr, now int64, tries int) (n int) {
		for range tries {
			if l.take(peer, now, 60) {
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
	if !l.take(one, 1_005_000, 0) {
		t.Error("0 is no limit")
	}
	l.take(one, 2_000_000, 60)
	if len(l.whole) != 1 {
		t.Errorf("%d networks are kept, want that of now only", len(l.whole))
	}
}

func TestRateLimit_IsBounded(t *testing.T) {
	l := rateLimit{whole: make(map[netip.Prefix]int64)}
	a := netip.AddrFrom4([4]byte{10})
	for range rateNetworks + 1000 {
		l.take(a, 1_000_000, 60)
		a = a.Next()
	}
	if len(l.whole) > rateNetworks+1 {
		t.Fatalf("%d networks", len(l.whole))
	}
	if l.take(a, 1_000_000, 60) {
		t.Error("what cannot be told apart shares one rate")
	}
}

// When a refused client is told to come back depends on its own network only, and has
// an end.
func TestCore_ReturnAfterIsTheNetworksOwn(t *testing.T) {
	e := newScenario(t)
	told := func(peer string, slot int) time.Duration {
		s := &session{conn: codec.NewConn(0, slot, 1), peer: netip.MustParseAddr(peer)}
		return time.Duration(e.core.returnAfter(s)) * time.Millisecond
	}
	first := returnBase + returnSpread
	if d := told("192.0.2.1", 1); d < returnBase || d > first {
		t.Fatalf("the first is told %v", d)
	}
	last := time.Duration(0)
	for i := range 100_000 {
		last = told("192.0.2.1", i)
		if last > returnMost+first {
			t.Fatalf("client %d of a network is told %v", i, last)
		}
	}
	if last < returnMost {
		t.Errorf("the last of 100,000 is told %v: they come all at once", last)
	}
	for _, peer := range []string{"192.0.2.2", "127.0.0.1", "2001:db8::1"} {
		if d := told(peer, 77); d > first {
			t.Errorf("%s is told %v because of another network", peer, d)
		}
	}
	e.core.now += returnMost.Milliseconds()
	if d := told("192.0.2.1", 1); d > first {
		t.Errorf("told %v when all have had their time", d)
	}
	for i := range rateNetworks + 1000 {
		a := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		if d := told(a.String(), i); d > first {
			t.Fatalf("%v is told %v because of others", a, d)
		}
	}
	if len(e.core.returns.whole) > rateNetworks {
		t.Errorf("%d networks are kept", len(e.core.returns.whole))
	}
}

// Clients that a server sends off are spread, and nobody has to wait for longer than
// returnMost.
func TestCore_GoAwaySpreadsClientsWithinABound(t *testing.T) {
	e := newScenario(t)
	seen := make(map[uint64]int)
	for i := range 40_000 {
		conn := codec.NewConn(0, i%1000+1, uint32(i/1000)+1)
		e.core.Client(&codec.Message{Kind: codec.KindOpened, Conn: conn, Protocol: codec.ProtocolNative})
		s := e.core.sessions.get(conn)
		e.core.become(s, StateLookingUp)
		e.core.end(s, endDrained)
		seen[e.core.reply.Number/1000]++
		e.core.remove(s)
	}
	for second, n := range seen {
		if second > uint64((returnBase+returnMost).Seconds()) || n > 3*returnsPerSecond {
			t.Errorf("%d clients come back in second %d", n, second)
		}
	}
}

// With many networks those that are over are forgotten ten times a second, else a flood
// of networks would make the others share one rate.
func TestRateLimit_SweepsMoreOftenWhenItIsHalfFull(t *testing.T) {
	l := newRateLimit()
	fill := func(n int) {
		for i := range n {
			l.take(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 1_000_000, minute)
		}
	}
	fill(rateNetworks/2 - 1)
	l.take(netip.MustParseAddr("192.0.2.1"), 1_000_000+rateBusy, minute)
	if len(l.whole) != rateNetworks/2 {
		t.Fatalf("%d networks are kept, and there is room", len(l.whole))
	}
	fill(rateNetworks)
	l.take(netip.MustParseAddr("192.0.2.1"), 1_000_000+rateBusy+1, minute)
	if len(l.whole) != 1 {
		t.Errorf("%d networks are kept, of which one is not over", len(l.whole))
	}
}
