package logic

import (
	"net/netip"
	"testing"
	"time"

	"gatepass/codec"
	"gatepass/guard"
)

// When a refused client is told to come back depends on its own network only, and has
// an end.
func TestCore_ReturnAfterIsTheNetworksOwn(t *testing.T) {
	e := newScenario(t)
	told := func(peer string, slot int) time.Duration {
		s := &session{conn: codec.NewConn(0, slot, 1), peer: netip.MustParseAddr(peer)}
		return time.Duration(e.core.returns.refused(s)) * time.Millisecond
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
	for i := range guard.MaxNetworks + 1000 {
		a := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		if d := told(a.String(), i); d > first {
			t.Fatalf("%v is told %v because of others", a, d)
		}
	}
	if e.core.returns.networks.Len() > guard.MaxNetworks {
		t.Errorf("%d networks are kept", e.core.returns.networks.Len())
	}
}

// Clients that a server sends off are spread, and nobody has to wait for longer than
// returnMost.
func TestCore_GoAwaySpreadsClientsWithinABound(t *testing.T) {
	e := newScenario(t)
	seen := make(map[uint64]int)
	for i := range 40_000 {
		conn := codec.NewConn(0, i%1000+1, uint32(i/1000)+1)
		e.core.Step(FromClient(&codec.Message{Kind: codec.KindOpened, Conn: conn, Protocol: codec.ProtocolNative}))
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
