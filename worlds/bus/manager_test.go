package bus

import (
	"context"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatepass/worlds"
)

func TestManager_WorldComesAndGoes(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	s := newStage(t)
	defer s.server.Close()
	m := s.manage("manager.a", ManagerOptions{})
	defer m.conn.Close()
	defer m.end()
	login := s.correspond("login.eu1", 1)
	defer login.conn.Close()
	world := s.connect("world.7")
	defer world.Close()
	reg := s.join(world, testRegistration(7, 70))

	eventually(t, "the world is online", func() bool { return login.shows(7, false) })
	if err := reg.Close(); err != nil {
		t.Error(err)
	}
	eventually(t, "the world is offline", func() bool { return login.shows(7, true) })
	if err := reg.Close(); err != nil {
		t.Error(err)
	}
}

func TestManager_RefusesWithAReason(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.manage("manager.a", ManagerOptions{})
	login := s.correspond("login.eu1", 1)
	world := s.connect("world.7")
	bad := testRegistration(7, 70)
	bad.Address = "nowhere"
	reasons := make(chan string, 1)
	reg, err := world.Register(RegisterOptions{
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
	case <-time.After(patience):
		t.Fatal("not refused")
	}
	if login.shows(7, false) || login.shows(7, true) || reg.Registered() {
		t.Error("a refused world is shown")
	}
}

func TestManager_TellsWhatIsWrongWithTheJSON(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.manage("manager.a", ManagerOptions{}).mustLead(t)
	world := s.connect("world.7")
	for payload, want := range map[string]string{
		`{"name":7}`:                       "registrationWire.name",
		`{"name":"A","kind":"pvx"}`:        `kind "pvx"`,
		`{`:                                "unexpected end",
		strings.Repeat(" ", maxRegister+1): "3969 bytes",
	} {
		answer, err := world.request(context.Background(), worldSubject(7, suffixRegister), []byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		if r, err := decodeRegisterReply(answer); err != nil || r.OK || !strings.Contains(r.Reason, want) {
			t.Errorf("%.40s: %+v, %v", payload, r, err)
		}
	}
}

func TestRegister_OnlyForItself(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	world := s.connect("world.7")
	_, err := world.Register(RegisterOptions{World: func() worlds.Registration { return testRegistration(8, 1) }})
	if err == nil {
		t.Error("world 7 may register world 8")
	}
}

func TestManager_SilentWorldIsOfflineAndComesBack(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.manage("manager.a", ManagerOptions{Heartbeat: 60 * time.Millisecond, Missed: 2})
	login := s.correspond("login.eu1", 1)
	world := s.correspond("world.7", 70)
	s.join(world.conn, testRegistration(7, 70))
	eventually(t, "the world is online", func() bool { return login.shows(7, false) })

	world.conn.nats.Close() // it says nothing any more
	eventually(t, "the world is offline", func() bool { return login.shows(7, true) })
	again := s.connect("world.7")
	defer s.join(again, testRegistration(7, 71)).Close()
	eventually(t, "the world is online again", func() bool { return login.shows(7, false) })
}

func TestManager_TableSurvivesARestart(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first := s.manage("manager.a", ManagerOptions{Heartbeat: time.Hour})
	login := s.correspond("login.eu1", 1)
	world := s.connect("world.7")
	defer s.join(world, testRegistration(7, 70)).Close()
	eventually(t, "the world is online", func() bool { return login.shows(7, false) })
	before := login.version()

	first.end()
	s.manage("manager.a", ManagerOptions{Heartbeat: time.Hour})
	eventually(t, "the copy is of the new manager", func() bool { return login.version().Epoch > before.Epoch })
	if !login.shows(7, false) {
		t.Error("the world is lost")
	}
	admin := s.connect("admin.a")
	list, err := admin.Worlds(context.Background())
	if err != nil || len(list.Entries) != 1 || list.Entries[0].Name != "World H" {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestManager_ResetEmptiesTheListAndWorldsComeBack(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.manage("manager.a", ManagerOptions{})
	login := s.correspond("login.eu1", 1)
	world := s.connect("world.7")
	defer s.join(world, testRegistration(7, 70)).Close()
	eventually(t, "the world is online", func() bool { return login.shows(7, false) })

	admin := s.connect("admin.a")
	if err := admin.Reset(context.Background()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the reset is told", func() bool {
		return login.count(func(e *worlds.Event) bool { return e.Change != nil && e.Change.Reset }) == 1
	})
	eventually(t, "the world has registered again", func() bool { return login.shows(7, false) })
}

// leaderOf waits until one of two leads.
func leaderOf(t *testing.T, a, b *testManager) (leader, other *testManager) {
	t.Helper()
	eventually(t, "one leads", func() bool { return a.leads() || b.leads() })
	if a.leads() {
		return a, b
	}
	return b, a
}

func TestManager_OtherTakesOverWhenTheLeaderIsCutOff(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	leader, other := leaderOf(t, s.manage("manager.a", ManagerOptions{}), s.manage("manager.b", ManagerOptions{}))
	login := s.correspond("login.eu1", 1)
	world := s.connect("world.7")
	defer s.join(world, testRegistration(7, 70)).Close()
	eventually(t, "the world is online", func() bool { return login.shows(7, false) })
	before := login.version()

	leader.conn.nats.Close() // as if its cable were cut: it cannot give the lease back
	cut := time.Now()
	eventually(t, "the other leads", other.leads)
	if took := time.Since(cut); took > testLease+2*time.Second {
		t.Errorf("fail-over took %s", took)
	}
	eventually(t, "the old leader knows", func() bool { return !leader.leads() })
	eventually(t, "the copy is of the new leader", func() bool { return login.version().Epoch > before.Epoch })
	eventually(t, "the world is online", func() bool { return login.shows(7, false) })

	late := worlds.Change{Version: worlds.Version{Epoch: before.Epoch, Seq: before.Seq + 1}, Reset: true}
	if err := other.conn.nats.Publish(subjectChange, encodeChange(&late)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the late change has come", func() bool { return login.conn.Stats().Outdated == 1 })
	if !login.shows(7, false) {
		t.Error("a change of the old leader was believed")
	}
}

func TestManager_GracefulStopHandsOverAtOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	long := ManagerOptions{Lease: time.Minute}
	leader, other := leaderOf(t, s.manage("manager.a", long), s.manage("manager.b", long))
	leader.end()
	eventually(t, "the other leads", other.leads)
	if leader.leads() {
		t.Error("both lead")
	}
}

func TestManager_EpochRisesThoughTheClockGoesBack(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	login := s.correspond("login.eu1", 1)
	s.manage("manager.a", ManagerOptions{}).mustLead(t).end()
	eventually(t, "the first epoch", func() bool { return login.newEpochs() == 1 })
	slow := func() time.Time { return time.Now().Add(-24 * time.Hour) }
	s.manage("manager.a", ManagerOptions{Now: slow}).mustLead(t)
	eventually(t, "the second epoch", func() bool { return login.newEpochs() == 2 })
}

func (m *testManager) mustLead(t *testing.T) *testManager {
	t.Helper()
	eventually(t, "it leads", m.leads)
	return m
}

func TestManager_SurvivesARestartOfTheBus(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.manage("manager.a", ManagerOptions{})
	login := s.correspond("login.eu1", 1)
	world := s.connect("world.7")
	defer s.join(world, testRegistration(7, 70)).Close()
	eventually(t, "the world is online", func() bool { return login.shows(7, false) })
	before := login.version()
	s.server.Close()
	eventually(t, "the manager does not lead", func() bool { return !m.leads() })
	s.restart()
	m.mustLead(t)
	eventually(t, "the copy follows", func() bool { return login.version().Epoch > before.Epoch && login.shows(7, false) })
}

func TestManager_NeedsItsCredentials(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	if err := RunManager(context.Background(), s.connect("world.7"), ManagerOptions{}); err == nil {
		t.Error("a world can be a manager")
	}
}

func TestLogins_AreHeardAndWatched(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.manage("manager.a", ManagerOptions{}).mustLead(t)
	dns, heard := s.connect("dns.a"), make(chan worlds.LoginBeat, 100)
	stopWatch, err := dns.WatchLogins(func(b worlds.LoginBeat) { heard <- b })
	if err != nil {
		t.Fatal(err)
	}
	defer stopWatch()
	if err := dns.nats.Flush(); err != nil {
		t.Fatal(err)
	}
	login := s.connect("login.eu1")
	want := worlds.LoginBeat{Node: "login.eu1", Incarnation: login.incarnation, Address: "192.0.2.1:3724", Conns: 3, MaxConns: 100}
	stop, err := login.BeatLogin(20*time.Millisecond, func() worlds.LoginBeat { return want })
	if err != nil {
		t.Fatal(err)
	}
	if got := <-heard; got != want {
		t.Errorf("heard %+v", got)
	}
	admin := s.connect("admin.a")
	eventually(t, "the manager has heard it", func() bool {
		all, err := admin.Logins(context.Background())
		return err == nil && len(all) == 1 && all[0] == want
	})
	stop()
	want.Draining = true
	eventually(t, "it says that it drains", func() bool { return <-heard == want })
}
