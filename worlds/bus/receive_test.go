package bus_test

import (
	"testing"

	"gatepass/worlds"
	"gatepass/worlds/bus/bustest"
	"gatepass/worlds/bus/wire"
)

// A world announces its keys when another manager leads, and not at every pulse.
func TestNode_AnnouncesAnewOncePerLeader(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	manager := s.Connect("manager.a")
	for self, perLeader := range map[worlds.Node]int{"world.7": 1, "login.eu1": 0} { // a login server has its worlds.Member
		c := s.Correspond(self, 1)
		bustest.Eventually(t, "it is up", func() bool { return c.Ups() == 1 })
		pulses := 0
		pulse := func(epoch, seq uint64) {
			pulses++
			c.HearAs(manager, wire.SubjectPulse, wire.EncodePulse(worlds.Pulse{Version: worlds.Version{Epoch: epoch, Seq: seq}}))
			bustest.Eventually(t, "the pulse has come", func() bool { return c.Conn.Stats().Received >= uint64(pulses) })
		}
		for seq := range uint64(20) {
			pulse(5, seq)
		}
		pulse(6, 0)
		pulse(6, 0)
		pulse(5, 30) // late
		pulse(6, 1)
		// The last one is delivered behind all others.
		bustest.Eventually(t, "the last pulse is delivered", func() bool {
			last := worlds.Version{Epoch: 6, Seq: 1}
			return c.Count(func(e *worlds.Event) bool { return e.Pulse != nil && e.Pulse.Version == last }) == 1
		})
		if got := c.Ups(); got != 1+2*perLeader {
			t.Errorf("%s announced %d times for 2 leaders", self, got-1)
		}
	}
}
