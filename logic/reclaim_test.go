package logic

import (
	"testing"

	"gatepass/codec"
	"gatepass/storage"
	"gatepass/worlds"
)

// Of two clients of an account that come back at once one claims the key; the other waits
// for no claim, and asks again.
func TestCore_Located_AClaimIsUnderWay(t *testing.T) {
	e := newScenario(t)
	c := e.core
	name, _ := codec.NameOf("ALICE")
	comeBack := func(slot int) *session {
		conn := codec.NewConn(0, slot, 1)
		c.Step(FromClient(&codec.Message{Kind: codec.KindOpened, Conn: conn}))
		s := c.sessions.get(conn)
		s.name, s.state, s.attempt = storage.Name(name), StateReclaiming, &attempt{refuseAt: c.now + 1000}
		c.Step(FromBus(&worlds.Event{Place: &worlds.Place{Account: name, Holder: peerNode, Tag: uint64(conn)}}))
		return s
	}
	if first := comeBack(1); c.claims.of[first.attempt.pass] != first.conn {
		t.Fatal("the first claims nothing")
	}
	second := comeBack(2)
	if second.attempt.pass != (worlds.PassID{}) || second.attempt.answered || len(c.claims.of) != 1 {
		t.Errorf("the second waits for a claim that it does not have: %x, %d claims", second.attempt.pass, len(c.claims.of))
	}
	if second.deadline != c.now+1 {
		t.Errorf("it looks again in %d ms", second.deadline-c.now)
	}
}
