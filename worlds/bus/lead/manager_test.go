package lead

import (
	"context"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatepass/worlds"
	"gatepass/worlds/bus"
	"gatepass/worlds/bus/bustest"
	"gatepass/worlds/bus/wire"
)

func TestManager_WorldComesAndGoes(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	s := bustest.NewStage(t)
	defer s.Server.Close()
	m := manage(s, "manager.a", ManagerOptions{})
	defer m.conn.Close()
	defer m.end()
	login := s.Correspond("login.eu1", 1)
	defer login.Conn.Close()
	world := s.Connect("world.7")
	defer world.Close()
	reg := s.Join(world, bustest.TestRegistration(7, 70))

	bustest.Eventually(t, "the world is online", func() bool { return login.Shows(7, false) })
	if err := reg.Close(); err != nil {
		t.Error(err)
	}
	bustest.Eventually(t, "the world is offline", func() bool { return login.Shows(7, true) })
	if err := reg.Close(); err != nil {
		t.Error(err)
	}
}

func TestManager_RefusesWithAReason(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	manage(s, "manager.a", ManagerOptions{})
	login := s.Correspond("login.eu1", 1)
	world := s.Connect("world.7")
	bad := bustest.TestRegistration(7, 70)
	bad.Address = "nowhere"
	reasons := make(chan string, 1)
	reg, err := world.Register(bus.RegisterOptions{
		World:     func() worlds.Registration { return bad },
		Beat:      func() worlds.Beat { return worlds.Beat{Incarnation: 70} },
		OnRefused: func(reason string) { reasons <- reason },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer reg.Close()
	select {
	case reason := <-reasons:
		if want := `address: "nowhere"`; !strings.Contains(reason, want) {
			t.Errorf("reason %q does not say %q", reason, want)
		}
	case <-time.After(bustest.Patience):
		t.Fatal("not refused")
	}
	if login.Shows(7, false) || login.Shows(7, true) || reg.Registered() {
		t.Error("a refused world is shown")
	}
}

func TestManager_TellsWhatIsWrongWithTheJSON(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	manage(s, "manager.a", ManagerOptions{}).mustLead(t)
	world := s.Connect("world.7")
	for payload, want := range map[string]string{
		`{"name":7}`:                            "registrationWire.name",
		`{"name":"A","kind":"pvx"}`:             `kind "pvx"`,
		`{`:                                     "unexpected end",
		strings.Repeat(" ", wire.MaxRegister+1): "3969 bytes",
	} {
		answer, err := request(world, wire.WorldSubject(7, wire.SuffixRegister), []byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		if r, err := wire.DecodeRegisterReply(answer); err != nil || r.OK || !strings.Contains(r.Reason, want) {
			t.Errorf("%.40s: %+v, %v", payload, r, err)
		}
	}
}

func TestRegister_OnlyForItself(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	world := s.Connect("world.7")
	_, err := world.Register(bus.RegisterOptions{World: func() worlds.Registration { return bustest.TestRegistration(8, 1) }})
	if err == nil {
		t.Error("world 7 may register world 8")
	}
}

func TestManager_SilentWorldIsOfflineAndComesBack(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	manage(s, "manager.a", ManagerOptions{Heartbeat: 60 * time.Millisecond, Missed: 2})
	login := s.Correspond("login.eu1", 1)
	world := s.Correspond("world.7", 70)
	s.Join(world.Conn, bustest.TestRegistration(7, 70))
	bustest.Eventually(t, "the world is online", func() bool { return login.Shows(7, false) })

	world.Conn.Client().Close() // it says nothing any more
	bustest.Eventually(t, "the world is offline", func() bool { return login.Shows(7, true) })
	again := s.Connect("world.7")
	defer s.Join(again, bustest.TestRegistration(7, 71)).Close()
	bustest.Eventually(t, "the world is online again", func() bool { return login.Shows(7, false) })
}

func TestManager_TableSurvivesARestart(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	first := manage(s, "manager.a", ManagerOptions{Heartbeat: time.Hour})
	login := s.Correspond("login.eu1", 1)
	world := s.Connect("world.7")
	defer s.Join(world, bustest.TestRegistration(7, 70)).Close()
	bustest.Eventually(t, "the world is online", func() bool { return login.Shows(7, false) })
	before := login.Version()

	first.end()
	manage(s, "manager.a", ManagerOptions{Heartbeat: time.Hour})
	bustest.Eventually(t, "the copy is of the new manager", func() bool { return login.Version().Epoch > before.Epoch })
	if !login.Shows(7, false) {
		t.Error("the world is lost")
	}
	admin := s.Connect("admin.a")
	list, err := admin.Worlds(context.Background())
	if err != nil || len(list.Entries) != 1 || list.Entries[0].Name != "World H" {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestManager_ResetEmptiesTheListAndWorldsComeBack(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	manage(s, "manager.a", ManagerOptions{})
	login := s.Correspond("login.eu1", 1)
	world := s.Connect("world.7")
	defer s.Join(world, bustest.TestRegistration(7, 70)).Close()
	bustest.Eventually(t, "the world is online", func() bool { return login.Shows(7, false) })

	admin := s.Connect("admin.a")
	if err := admin.Reset(context.Background()); err != nil {
		t.Fatal(err)
	}
	bustest.Eventually(t, "the reset is told", func() bool {
		return login.Count(func(e *worlds.Event) bool { return e.Change != nil && e.Change.Reset }) == 1
	})
	bustest.Eventually(t, "the world has registered again", func() bool { return login.Shows(7, false) })
}

// leaderOf waits until one of two leads.
func leaderOf(t *testing.T, a, b *testManager) (leader, other *testManager) {
	t.Helper()
	bustest.Eventually(t, "one leads", func() bool { return a.leads() || b.leads() })
	if a.leads() {
		return a, b
	}
	return b, a
}

func TestManager_OtherTakesOverWhenTheLeaderIsCutOff(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	leader, other := leaderOf(t, manage(s, "manager.a", ManagerOptions{}), manage(s, "manager.b", ManagerOptions{}))
	login := s.Correspond("login.eu1", 1)
	world := s.Connect("world.7")
	defer s.Join(world, bustest.TestRegistration(7, 70)).Close()
	bustest.Eventually(t, "the world is online", func() bool { return login.Shows(7, false) })
	before := login.Version()

	leader.conn.Client().Close() // as if its cable were cut: it cannot give the lease back
	cut := time.Now()
	bustest.Eventually(t, "the other leads", other.leads)
	if took := time.Since(cut); took > testLease+2*time.Second {
		t.Errorf("fail-over took %s", took)
	}
	bustest.Eventually(t, "the old leader knows", func() bool { return !leader.leads() })
	bustest.Eventually(t, "the copy is of the new leader", func() bool { return login.Version().Epoch > before.Epoch })
	bustest.Eventually(t, "the world is online", func() bool { return login.Shows(7, false) })

	late := worlds.Change{Version: worlds.Version{Epoch: before.Epoch, Seq: before.Seq + 1}, Reset: true}
	if err := other.conn.Client().Publish(wire.SubjectChange, wire.EncodeChange(&late)); err != nil {
		t.Fatal(err)
	}
	bustest.Eventually(t, "the late change has come", func() bool { return login.Conn.Stats().Outdated == 1 })
	if !login.Shows(7, false) {
		t.Error("a change of the old leader was believed")
	}
}

func TestManager_GracefulStopHandsOverAtOnce(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	long := ManagerOptions{Lease: time.Minute}
	leader, other := leaderOf(t, manage(s, "manager.a", long), manage(s, "manager.b", long))
	leader.end()
	bustest.Eventually(t, "the other leads", other.leads)
	if leader.leads() {
		t.Error("both lead")
	}
}

func TestManager_EpochRisesThoughTheClockGoesBack(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	login := s.Correspond("login.eu1", 1)
	manage(s, "manager.a", ManagerOptions{}).mustLead(t).end()
	bustest.Eventually(t, "the first epoch", func() bool { return login.NewEpochs() == 1 })
	slow := func() time.Time { return time.Now().Add(-24 * time.Hour) }
	manage(s, "manager.a", ManagerOptions{Now: slow}).mustLead(t)
	bustest.Eventually(t, "the second epoch", func() bool { return login.NewEpochs() == 2 })
}

func TestManager_SurvivesARestartOfTheBus(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	m := manage(s, "manager.a", ManagerOptions{})
	login := s.Correspond("login.eu1", 1)
	world := s.Connect("world.7")
	defer s.Join(world, bustest.TestRegistration(7, 70)).Close()
	bustest.Eventually(t, "the world is online", func() bool { return login.Shows(7, false) })
	before := login.Version()
	s.Server.Close()
	bustest.Eventually(t, "the manager does not lead", func() bool { return !m.leads() })
	s.Restart()
	m.mustLead(t)
	bustest.Eventually(t, "the copy follows", func() bool { return login.Version().Epoch > before.Epoch && login.Shows(7, false) })
}

func TestManager_NeedsItsCredentials(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	if err := RunManager(context.Background(), s.Connect("world.7"), ManagerOptions{}); err == nil {
		t.Error("a world can be a manager")
	}
}

func TestLogins_AreHeardAndWatched(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	manage(s, "manager.a", ManagerOptions{}).mustLead(t)
	dns, heard := s.Connect("dns.a"), make(chan worlds.LoginBeat, 100)
	stopWatch, err := dns.WatchLogins(func(b worlds.LoginBeat) { heard <- b })
	if err != nil {
		t.Fatal(err)
	}
	defer stopWatch()
	if err := dns.Client().Flush(); err != nil {
		t.Fatal(err)
	}
	login := s.ConnectWith("login.eu1", bus.Options{Random: strings.NewReader("\x00\x00\x00\x00\x00\x00\x01\x02")})
	want := worlds.LoginBeat{Node: "login.eu1", Incarnation: 0x102, Address: "192.0.2.1:3724", Conns: 3, MaxConns: 100}
	stop, err := login.BeatLogin(20*time.Millisecond, func() worlds.LoginBeat { return want })
	if err != nil {
		t.Fatal(err)
	}
	if got := <-heard; got != want {
		t.Errorf("heard %+v", got)
	}
	admin := s.Connect("admin.a")
	bustest.Eventually(t, "the manager has heard it", func() bool {
		all, err := admin.Logins(context.Background())
		return err == nil && len(all) == 1 && all[0] == want
	})
	stop()
	want.Draining = true
	bustest.Eventually(t, "it says that it drains", func() bool { return <-heard == want })
}

// TestRegistrar_SecondRegistrationAnnouncesAnew: a manager that wants one may
// have forgotten the world's keys.
func TestRegistrar_SecondRegistrationAnnouncesAnew(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	manage(s, "manager.a", ManagerOptions{}).mustLead(t)
	world := s.Correspond("world.7", 70)
	s.Join(world.Conn, bustest.TestRegistration(7, 70))
	reg := s.Connect("admin.a")
	bustest.Eventually(t, "registered", func() bool {
		list, err := reg.Worlds(context.Background())
		return err == nil && len(list.Entries) == 1
	})
	// The manager's first pulse may have come before or after.
	bustest.Eventually(t, "the epoch is known", func() bool { return world.Count(bustest.IsUp) >= 1 })
	before := world.Count(bustest.IsUp)
	if err := reg.Reset(context.Background()); err != nil {
		t.Fatal(err)
	}
	bustest.Eventually(t, "up again", func() bool { return world.Count(bustest.IsUp) > before })
}
