package lead

import (
	"testing"
	"time"

	"gatepass/worlds"
	"gatepass/worlds/bus/bustest"
)

func TestDirectory_FindsAndEnds(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	manage(s, "manager.a", ManagerOptions{}).mustLead(t)
	one, two, world := s.Correspond("login.eu1", 1), s.Correspond("login.eu2", 2), s.Correspond("world.7", 3)
	s.MustJoin(world.Conn, 3)
	world.Locate("ALICE", 42) // before anybody has her
	one.Submit(bustest.Announce("ALICE", 10, worlds.AnnounceFresh))
	bustest.Eventually(t, "the place", func() bool { return world.Count(bustest.IsPlace) == 1 })
	if p := world.Find(bustest.IsPlace).Place; p.Holder != "login.eu1" || p.Stamp != 0 || p.Tag != 42 {
		t.Errorf("%+v", p)
	}
	two.Submit(bustest.Announce("ALICE", 20, worlds.AnnounceFresh))
	bustest.Eventually(t, "the older login ends", func() bool { return one.Count(bustest.IsEnd) == 1 })
	if e := one.Find(bustest.IsEnd).End; e.Stamp != 10 || e.Why != "second login" {
		t.Errorf("%+v", e)
	}
	one.Submit(worlds.Effect{End: &worlds.AccountEnd{Account: bustest.MustName(t, "ALICE"), Why: "ban"}})
	bustest.Eventually(t, "the ban arrives", func() bool { return two.Count(bustest.IsEnd) == 1 })
	if e := two.Find(bustest.IsEnd).End; e.Why != "ban" {
		t.Errorf("%+v", e)
	}
}

func TestDirectory_IsFilledAnewAfterAFailOver(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	leader, other := leaderOf(t, manage(s, "manager.a", ManagerOptions{}), manage(s, "manager.b", ManagerOptions{}))
	login, world := s.Correspond("login.eu1", 1), s.Correspond("world.7", 3)
	bustest.Eventually(t, "the first epoch", func() bool { return login.NewEpochs() > 0 })
	s.MustJoin(world.Conn, 3)
	upsBefore, epochsBefore := world.Count(bustest.IsUp), login.NewEpochs()

	leader.conn.Client().Close()
	bustest.Eventually(t, "the other leads", other.leads)
	bustest.Eventually(t, "the login server is to announce", func() bool { return login.NewEpochs() > epochsBefore })
	bustest.Eventually(t, "the world is to announce", func() bool { return world.Count(bustest.IsUp) > upsBefore })
	login.Submit(bustest.Announce("ALICE", 10, worlds.AnnounceHeld))
	world.Locate("ALICE", 1)
	bustest.Eventually(t, "the place", func() bool { return world.Count(bustest.IsPlace) == 1 })
}

func TestDirectory_ForgetsAWorldThatIsGone(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	m := manage(s, "manager.a", ManagerOptions{Heartbeat: 60 * time.Millisecond, Missed: 2})
	login, world := s.Correspond("login.eu1", 1), s.Correspond("world.7", 70)
	s.Join(world.Conn, bustest.TestRegistration(7, 70))
	bustest.Eventually(t, "the world is online", func() bool { return login.Shows(7, false) })
	world.HoldAlice(m.entries)
	world.Conn.Client().Close()
	bustest.Eventually(t, "its key is forgotten", func() bool { return m.monitor.Stats().Directory.Entries == 0 })
}

// TestDirectory_TakesAllKeysAtOnce: after a fail-over a login server announces
// everything, and neither the bus nor the manager may choke on it.
func TestDirectory_TakesAllKeysAtOnce(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	m := manage(s, "manager.a", ManagerOptions{Lease: 3 * time.Second}).mustLead(t)
	login := s.Correspond("login.eu1", 1)
	all := manyAnnouncements(100_000)
	effects := make([]worlds.Effect, len(all))
	for i := range all {
		effects[i].Announce = &all[i]
	}
	login.Submit(effects...)
	bustest.Eventually(t, "all are known", func() bool { return m.monitor.Stats().Directory.Entries == len(all) })
	if st := m.conn.Stats(); st.Overruns+st.Disconnects+login.Conn.Stats().DroppedAnnouncements != 0 {
		t.Errorf("%+v", st)
	}
}

// Under the rule that nobody comes in twice who is in a world picks another one, and
// the world that is left hears of it.
func TestDirectory_RenewedEndsTheOlderStay(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	manage(s, "manager.a", ManagerOptions{SecondLogin: worlds.SecondLoginRefuse}).mustLead(t)
	login, other, world := s.Correspond("login.eu1", 1), s.Correspond("login.eu2", 2), s.Correspond("world.7", 3)
	s.MustJoin(world.Conn, 3)
	login.Submit(bustest.Announce("ALICE", 10, worlds.AnnounceFresh))
	login.Locate("ALICE", 1)
	bustest.Eventually(t, "the login is known", func() bool { return login.Count(bustest.IsPlace) == 1 })
	moved := bustest.Announce("ALICE", 10, worlds.AnnounceMoved)
	moved.Announce.Hop = 1
	world.Submit(s.Vouched("world.7", moved))
	bustest.Eventually(t, "the stay is known", func() bool {
		login.Locate("ALICE", 2)
		return login.Find(bustest.IsPlace).Place.Holder == "world.7"
	})
	other.Submit(bustest.Announce("ALICE", 15, worlds.AnnounceFresh))
	bustest.Eventually(t, "somebody else is refused", func() bool { return other.Count(bustest.IsEnd) == 1 })
	login.Submit(bustest.Announce("ALICE", 20, worlds.AnnounceRenewed))
	bustest.Eventually(t, "the older stay ends", func() bool { return world.Count(bustest.IsEnd) == 1 })
	if e := world.Find(bustest.IsEnd).End; e.Stamp != 10 || login.Count(bustest.IsEnd) != 0 {
		t.Errorf("%+v, and the login server is told %d ends", e, login.Count(bustest.IsEnd))
	}
}

func TestNode_CloseSendsWhatWasSubmitted(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	m := manage(s, "manager.a", ManagerOptions{Lease: 3 * time.Second}).mustLead(t)
	login := s.Correspond("login.eu1", 1)
	login.Submit(bustest.Announce("ALICE", 10, worlds.AnnounceFresh))
	login.Conn.Close()
	login.Conn.Close()
	if err := login.Node.Close(); err != nil {
		t.Error(err)
	}
	bustest.Eventually(t, "it is known, and that it is over", func() bool {
		d := m.monitor.Stats().Directory
		return d.Logins == 1 && d.Entries == 0
	})
}

// What a node let go of while it was cut off is not known any more once it is back,
// and what it holds is.
func TestDirectory_ForgetsWhatANodeHeldBeforeItWasCutOff(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	m := manage(s, "manager.a", ManagerOptions{Lease: 3 * time.Second}).mustLead(t)
	login := s.Correspond("login.eu1", 1)
	login.Submit(bustest.Announce("ALICE", 10, worlds.AnnounceFresh), bustest.Announce("BOB", 11, worlds.AnnounceFresh))
	bustest.Eventually(t, "both are known", func() bool { return m.monitor.Stats().Directory.Entries == 2 })
	ups := login.Count(bustest.IsUp)
	if err := login.Conn.Client().ForceReconnect(); err != nil {
		t.Fatal(err)
	}
	bustest.Eventually(t, "up again", func() bool { return login.Count(bustest.IsUp) == ups+1 })
	login.Submit(bustest.Announce("BOB", 11, worlds.AnnounceHeld))
	bustest.Eventually(t, "one is known", func() bool { return m.monitor.Stats().Directory.Entries == 1 })
	login.Locate("BOB", 1)
	bustest.Eventually(t, "the place", func() bool { return login.Count(bustest.IsPlace) == 1 })
	if p := login.Find(bustest.IsPlace).Place; p.Holder != "login.eu1" {
		t.Errorf("%+v", p)
	}
}

// A gate that drains leaves the list at once, and its players go on playing: they
// can be found and ended until they have left.
func TestDirectory_KnowsAWorldThatHasLeftTheList(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	m := manage(s, "manager.a", ManagerOptions{Heartbeat: 200 * time.Millisecond, LoginGone: time.Second, Lease: 3 * time.Second})
	login, world := s.Correspond("login.eu1", 1), s.CorrespondEvery("world.7", 70, 50*time.Millisecond)
	reg := s.Join(world.Conn, bustest.TestRegistration(7, 70))
	bustest.Eventually(t, "the world is online", func() bool { return login.Shows(7, false) })
	world.HoldAlice(m.entries)
	if err := reg.Close(); err != nil {
		t.Fatal(err)
	}
	bustest.Eventually(t, "the world is offline", func() bool { return login.Shows(7, true) })
	world.HoldAlice(m.entries)
	left := time.Now()
	bustest.Eventually(t, "a while has passed", func() bool { return time.Since(left) > 1200*time.Millisecond })
	login.Submit(worlds.Effect{End: &worlds.AccountEnd{Account: bustest.MustName(t, "ALICE"), Why: "ban"}})
	bustest.Eventually(t, "the end", func() bool { return world.Count(bustest.IsEnd) == 1 })
	world.Conn.Client().Close()
	bustest.Eventually(t, "its key is forgotten", func() bool { return m.monitor.Stats().Directory.Entries == 0 })
}

func TestDirectory_ForgetsAWorldThatDiesInAReset(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	m := manage(s, "manager.a", ManagerOptions{Heartbeat: 200 * time.Millisecond, Missed: 2, Lease: 3 * time.Second})
	login, world := s.Correspond("login.eu1", 1), s.Correspond("world.7", 70)
	s.Join(world.Conn, bustest.TestRegistration(7, 70))
	bustest.Eventually(t, "the world is online", func() bool { return login.Shows(7, false) })
	world.HoldAlice(m.entries)
	world.Conn.Client().Close()
	if err := s.Connect("admin.a").Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	bustest.Eventually(t, "its key is forgotten", func() bool { return m.monitor.Stats().Directory.Entries == 0 })
}
