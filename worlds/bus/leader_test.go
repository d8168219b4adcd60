package bus

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"gatepass/worlds"
)

// hearAs delivers a message to a node as the bus would.
func (c *correspondent) hearAs(tb testing.TB, from *Conn, subject string, payload []byte) {
	tb.Helper()
	if err := errors.Join(from.nats.Publish(subject, payload), from.nats.Flush()); err != nil {
		tb.Fatal(err)
	}
}

// A leader that stood still between its look at the lease and its word says what is
// out of date. Whoever has heard of a later leader does not listen, whatever it says.
func TestNode_DropsWhatAnOlderLeaderSays(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	manager := s.connect("manager.a")
	alice := mustName(t, "ALICE")
	version := func(epoch uint64) worlds.Version { return worlds.Version{Epoch: epoch, Seq: 9} }
	for _, self := range []worlds.Node{"login.eu1", "world.7"} {
		says := map[string]func(epoch uint64) []byte{
			prefixPlace + string(self): func(epoch uint64) []byte {
				return encodePlace(&worlds.Place{Account: alice, Holder: "login.eu1", Tag: 1}, epoch)
			},
			prefixEnd + string(self): func(epoch uint64) []byte { return encodeEnd(&worlds.End{Account: alice, Why: "ban"}, epoch) },
			subjectPulse:             func(epoch uint64) []byte { return encodePulse(worlds.Pulse{Version: version(epoch)}) },
		}
		if self.Kind() == worlds.KindLogin {
			says[subjectChange] = func(epoch uint64) []byte { return encodeChange(&worlds.Change{Version: version(epoch), Reset: true}) }
		}
		for subject, payload := range says {
			c := s.correspond(self, 1)
			events := func() int { return c.count(func(e *worlds.Event) bool { return !e.Up }) }
			c.hearAs(t, manager, subjectPulse, encodePulse(worlds.Pulse{Version: worlds.Version{Epoch: 20}}))
			eventually(t, "the leader is known", func() bool { return events()+c.upsSoFar() == 2 })
			before := events()
			c.hearAs(t, manager, subject, payload(19))
			eventually(t, "what the older leader says is dropped: "+subject, func() bool { return c.conn.Stats().Outdated == 1 })
			c.hearAs(t, manager, subject, payload(20))
			c.hearAs(t, manager, subject, payload(20))
			eventually(t, "what the leader says is heard: "+subject, func() bool { return events() >= before+2 })
			if n := events() - before; n != 2 {
				t.Errorf("%s: %d were delivered of %s", self, n, subject)
			}
			c.conn.Close()
		}
	}
}

// A manager of an earlier version does not say its epoch with everything.
func TestFence_WithoutAnEpochIsHeard(t *testing.T) {
	t.Parallel()
	var f fence
	for _, c := range []struct {
		epoch    uint64
		outdated bool
	}{{0, false}, {5, false}, {5, false}, {4, true}, {0, false}, {6, false}, {5, true}} {
		if f.outdated(c.epoch) != c.outdated {
			t.Errorf("epoch %d: %v", c.epoch, !c.outdated)
		}
	}
}

// A world does not take an older leader's word that it is registered.
func TestRegistrar_DropsAnswersOfAnOlderLeader(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.manage("manager.a", ManagerOptions{}).mustLead(t)
	world := s.correspond("world.7", 70)
	reg := s.join(world.conn, testRegistration(7, 70))
	eventually(t, "it is registered", reg.Registered)
	before := world.conn.Stats().Outdated
	world.conn.outdated(1 << 63) // it has heard of another
	eventually(t, "answers are dropped", func() bool { return world.conn.Stats().Outdated > before+1 })
	if err := reg.register(context.Background()); !errors.Is(err, errOutdated) {
		t.Errorf("registered: %v", err)
	}
	if _, err := reg.beat(context.Background(), worlds.Beat{Incarnation: 70}); !errors.Is(err, errOutdated) {
		t.Errorf("beat: %v", err)
	}
	m.end()
}

// A leader that was overtaken while it stood still writes nothing any more, also what
// nobody else has touched.
func TestTable_RefusesAnOlderLeader(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := &testManager{conn: s.connect("manager.a")}
	old, later, ctx := s.table(m), s.table(m), context.Background()
	record := func(id uint8, incarnation uint64) *worlds.Write {
		r := testRegistration(id, incarnation)
		return &worlds.Write{World: id, Record: &worlds.Record{Registration: r}}
	}
	if err := errors.Join(old.fence(ctx, 10), old.store(ctx, record(7, 70))); err != nil {
		t.Fatal(err)
	}
	if err := later.fence(ctx, 20); err != nil {
		t.Fatal(err)
	}
	for _, w := range []*worlds.Write{record(8, 80), record(7, 71), {Reset: true}} {
		if err := old.store(ctx, w); !errors.Is(err, errFenced) {
			t.Errorf("it has written: %v", err)
		}
	}
	if err := old.fence(ctx, 10); !errors.Is(err, errFenced) {
		t.Errorf("it has taken the table back: %v", err)
	}
	all, err := later.load(ctx, testLog(t))
	if err != nil || len(all) != 1 || all[0].Incarnation != 70 {
		t.Errorf("%+v, %v", all, err)
	}
	if err := errors.Join(later.store(ctx, record(7, 72)), later.store(ctx, &worlds.Write{Reset: true})); err != nil {
		t.Error(err)
	}
}

// A write whose answer was lost is made again, and so is one that met another's of an
// earlier version, which knows of no fence.
func TestTable_GoesOnAfterALostAnswer(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := &testManager{conn: s.connect("manager.a")}
	table, ctx := s.table(m), context.Background()
	if err := table.fence(ctx, 10); err != nil {
		t.Fatal(err)
	}
	if _, err := table.kv.Put(ctx, "9", []byte("{}")); err != nil { // without the table's knowledge
		t.Fatal(err)
	}
	w := &worlds.Write{World: 7, Record: &worlds.Record{Registration: testRegistration(7, 70)}}
	if err := table.store(ctx, w); err == nil || errors.Is(err, errFenced) {
		t.Errorf("the first time: %v", err)
	}
	if err := table.store(ctx, w); err != nil {
		t.Errorf("the second time: %v", err)
	}
	if ids, err := table.ids(ctx); err != nil || !slices.Contains(ids, 7) {
		t.Errorf("%v, %v", ids, err)
	}
}

// A manager that leads and finds that another has the table ends its term.
func TestReign_EndsWhenAnotherHasTheTable(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.manage("manager.a", ManagerOptions{Lease: 30 * time.Second}).mustLead(t)
	if err := s.table(m).fence(context.Background(), 1<<62); err != nil {
		t.Fatal(err)
	}
	world := s.correspond("world.7", 70)
	s.join(world.conn, testRegistration(7, 70))
	eventually(t, "its term ends", func() bool { return !m.leads() })
}

// Nodes that need a leader say so when there is none, and when there is one again.
func TestConn_TellsThatNobodyLeads(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ghost := s.mustLease("manager.b", 9)
	ghost.length = time.Hour
	held, err := ghost.kv.Create(context.Background(), leaseKey, ghost.value("manager.b")) // it never renews it
	if err != nil {
		t.Fatal(err)
	}
	var conns []*Conn
	for _, node := range []worlds.Node{"manager.a", "login.eu1", "world.7"} {
		conn := s.connect(node)
		conn.leader.silence = 300 * time.Millisecond
		conns = append(conns, conn)
	}
	s.manageOn(conns[0], ManagerOptions{})
	for _, conn := range conns[1:] {
		if _, err := conn.Node(NodeOptions{Incarnation: 1, Deliver: func(worlds.Event) {}}); err != nil {
			t.Fatal(err)
		}
	}
	idle := s.connect("dns.a")
	idle.leader.silence = time.Nanosecond
	all := func(want bool) func() bool {
		return func() bool {
			return !slices.ContainsFunc(conns, func(c *Conn) bool { _, missing := c.Leaderless(); return missing != want })
		}
	}
	eventually(t, "everybody misses a leader", all(true))
	if _, missing := idle.Leaderless(); missing {
		t.Error("a node that needs no leader misses one")
	}
	if _, err := ghost.kv.Update(context.Background(), leaseKey, ghost.value(""), held); err != nil {
		t.Fatal(err)
	}
	eventually(t, "everybody sees the leader", all(false))
}
