package bus

import (
	"testing"
	"time"

	"gatepass/worlds"
)

// Two processes with one name are told from one that was started again.
func TestLogins_TwinsAreNoticed(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.manage("manager.a", ManagerOptions{Lease: 3 * time.Second}).mustLead(t)
	admin := s.connect("admin.a")
	beat := func(c *Conn) {
		t.Helper()
		eventually(t, "it is heard", func() bool {
			c.beatLogin(worlds.LoginBeat{Address: "192.0.2.1:3724"}) // one may get lost
			all, err := admin.Logins(t.Context())
			return err == nil && len(all) == 1 && all[0].Incarnation == c.incarnation
		})
		// Those that were not needed must not come behind another's.
		if err := c.nats.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	first, second, third := s.connect("login.eu1"), s.connect("login.eu1"), s.connect("login.eu1")
	for _, c := range []*Conn{first, first, second, second, third} {
		beat(c)
	}
	if n := m.monitor.Stats().Twins; n != 0 {
		t.Errorf("%d twins among those that were started again", n)
	}
	beat(second)
	beat(third)
	eventually(t, "twins", func() bool { return m.monitor.Stats().Twins == 2 })
}

// A second process for a world waits until the first is silent, and what the first
// holds is known all the time but for a heartbeat.
func TestManager_SecondProcessOfAWorldWaits(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.manage("manager.a", ManagerOptions{Heartbeat: 200 * time.Millisecond, Lease: 3 * time.Second})
	login, first := s.correspond("login.eu1", 1), s.correspond("world.7", 70)
	s.join(first.conn, testRegistration(7, 70))
	eventually(t, "the world is online", func() bool { return login.shows(7, false) })
	first.holdAlice(m)
	ups := first.count(isUp)

	second := s.correspond("world.7", 170)
	reg := s.join(second.conn, testRegistration(7, 170))
	eventually(t, "it is refused", func() bool { return m.monitor.Stats().Worlds.Twins > 0 })
	eventually(t, "the first is to announce anew", func() bool { return first.count(isUp) > ups })
	first.holdAlice(m)
	if reg.Registered() || login.shows(7, true) {
		t.Error("the second took the first one's place")
	}
	first.conn.nats.Close()
	eventually(t, "the second is in", reg.Registered)
}
