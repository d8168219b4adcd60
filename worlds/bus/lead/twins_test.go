package lead

import (
	"testing"
	"time"

	"gatepass/worlds"
	"gatepass/worlds/bus"
	"gatepass/worlds/bus/bustest"
	"gatepass/worlds/bus/wire"
)

// Two processes with one name are told from one that was started again.
func TestLogins_TwinsAreNoticed(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	m := manage(s, "manager.a", ManagerOptions{Lease: 3 * time.Second}).mustLead(t)
	admin := s.Connect("admin.a")
	conns := []*bus.Conn{s.Connect("login.eu1"), s.Connect("login.eu1"), s.Connect("login.eu1")}
	const first, second, third = 0, 1, 2
	beat := func(process int) {
		t.Helper()
		c, b := conns[process], worlds.LoginBeat{Address: "192.0.2.1:3724", Incarnation: uint64(process + 1)}
		bustest.Eventually(t, "it is heard", func() bool {
			if err := c.Publish(wire.LoginBeatSubject("login.eu1"), wire.EncodeLoginBeat(&b)); err != nil { // one may get lost
				t.Fatal(err)
			}
			all, err := admin.Logins(t.Context())
			return err == nil && len(all) == 1 && all[0].Incarnation == b.Incarnation
		})
		// Repeated heartbeats must arrive before those of another process.
		if err := c.Client().Flush(); err != nil {
			t.Fatal(err)
		}
	}
	for _, process := range []int{first, first, second, second, third} {
		beat(process)
	}
	if n := m.monitor.Stats().Twins; n != 0 {
		t.Errorf("%d twins among those that were started again", n)
	}
	beat(second)
	beat(third)
	bustest.Eventually(t, "twins", func() bool { return m.monitor.Stats().Twins == 2 })
}

// A second process for a world waits until the first is silent, and what the first
// holds is known all the time but for a heartbeat.
func TestManager_SecondProcessOfAWorldWaits(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	m := manage(s, "manager.a", ManagerOptions{Heartbeat: 200 * time.Millisecond, Lease: 3 * time.Second})
	login, first := s.Correspond("login.eu1", 1), s.Correspond("world.7", 70)
	s.Join(first.Conn, bustest.TestRegistration(7, 70))
	bustest.Eventually(t, "the world is online", func() bool { return login.Shows(7, false) })
	first.HoldAlice(m.entries)
	ups := first.Count(bustest.IsUp)

	second := s.Correspond("world.7", 170)
	reg := s.Join(second.Conn, bustest.TestRegistration(7, 170))
	bustest.Eventually(t, "it is refused", func() bool { return m.monitor.Stats().Worlds.Twins > 0 })
	bustest.Eventually(t, "the first is to announce anew", func() bool { return first.Count(bustest.IsUp) > ups })
	first.HoldAlice(m.entries)
	if reg.Registered() || login.Shows(7, true) {
		t.Error("the second took the first one's place")
	}
	first.Conn.Client().Close()
	bustest.Eventually(t, "the second is in", reg.Registered)
}
