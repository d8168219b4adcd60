package lead

import (
	"context"
	"slices"
	"testing"
	"time"

	"gatepass/worlds"
	"gatepass/worlds/bus"
	"gatepass/worlds/bus/bustest"
	"gatepass/worlds/bus/wire"
)

// Whoever asks names where the answer is to go, and the manager may write where
// the asker may not. So it answers in inboxes only.
func TestReign_AnswersNowhereButInInboxes(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	m := manage(s, "manager.a", ManagerOptions{Lease: 30 * time.Second}).mustLead(t)
	login, admin, world := s.Connect("login.eu1"), s.Connect("admin.a"), s.Connect("world.7")
	targets := []string{
		"$KV.gatepass_worlds.7", "$KV.gatepass_lease.leader", "gatepass.worlds.change", "gatepass.worlds.pulse",
		"gatepass.place.world.7", "gatepass.end.login.eu1", "_INBOX.manager.a.x", "_INBOX.world.8.x", "_INBOX",
		"_INBOX.loginx.eu1", "$JS.API.STREAM.INFO.KV_gatepass_worlds",
	}
	asked := uint64(0)
	ask := func(c *bus.Conn, subject, reply string) {
		asked++
		if err := c.Client().PublishRequest(subject, reply, []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	for _, reply := range targets {
		ask(login, wire.SubjectSnapshot, reply)
		ask(admin, wire.SubjectSnapshot, reply)
		ask(admin, wire.SubjectLogins, reply)
		ask(admin, wire.SubjectReset, reply)
		ask(world, wire.WorldSubject(7, wire.SuffixRegister), reply)
		ask(world, wire.WorldSubject(7, wire.SuffixBeat), reply)
	}
	ask(admin, wire.SubjectLogins, "_INBOX.login.eu1.x")
	ask(world, wire.WorldSubject(7, wire.SuffixBeat), "_INBOX.admin.a.x")
	bustest.Eventually(t, "none of it is taken", func() bool { return m.conn.Stats().Malformed == asked })
	if list, err := admin.Worlds(context.Background()); err != nil || list.Version.Seq != 0 {
		t.Errorf("the region is not as it was: %+v, %v", list, err)
	}
	table := tableOf(s, m)
	if ids, err := table.ids(context.Background()); err != nil || len(ids) != 0 {
		t.Errorf("the bucket has %v, %v", ids, err)
	}
	if m.monitor.Stats().Terms != 1 {
		t.Error("the lease was lost")
	}
}

// A manager that leads and finds that another has the table ends its term.
func TestReign_EndsWhenAnotherHasTheTable(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	m := manage(s, "manager.a", ManagerOptions{Lease: 30 * time.Second}).mustLead(t)
	if err := tableOf(s, m).fence(context.Background(), 1<<62); err != nil {
		t.Fatal(err)
	}
	world := s.Correspond("world.7", 70)
	s.Join(world.Conn, bustest.TestRegistration(7, 70))
	bustest.Eventually(t, "its term ends", func() bool { return !m.leads() })
}

// Nodes that need a leader say so when there is none, and when there is one again.
func TestConn_TellsThatNobodyLeads(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	ghost := mustLease(s, "manager.b", 9)
	ghost.length = time.Hour
	held, err := ghost.kv.Create(context.Background(), leaseKey, ghost.value("manager.b")) // it never renews it
	if err != nil {
		t.Fatal(err)
	}
	var conns []*bus.Conn
	for _, node := range []worlds.Node{"manager.a", "login.eu1", "world.7"} {
		conns = append(conns, s.ConnectWith(node, bus.Options{LeaderSilence: 300 * time.Millisecond}))
	}
	manageOn(s, conns[0], ManagerOptions{})
	for _, conn := range conns[1:] {
		if _, err := conn.Node(bus.NodeOptions{Incarnation: 1, Deliver: func(worlds.Event) {}}); err != nil {
			t.Fatal(err)
		}
	}
	idle := s.ConnectWith("dns.a", bus.Options{LeaderSilence: time.Nanosecond})
	all := func(want bool) func() bool {
		return func() bool {
			return !slices.ContainsFunc(conns, func(c *bus.Conn) bool { _, missing := c.Leaderless(); return missing != want })
		}
	}
	bustest.Eventually(t, "everybody misses a leader", all(true))
	if _, missing := idle.Leaderless(); missing {
		t.Error("a node that needs no leader misses one")
	}
	if _, err := ghost.kv.Update(context.Background(), leaseKey, ghost.value(""), held); err != nil {
		t.Fatal(err)
	}
	bustest.Eventually(t, "everybody sees the leader", all(false))
}
