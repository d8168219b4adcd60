package bus

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"gatepass/codec"
	"gatepass/worlds"
)

// stage is a bus with the nodes that a test wants on it.
type stage struct {
	tb        testing.TB
	authority *Authority
	options   ServerOptions
	server    *Server
	creds     map[worlds.Node]string
	vouching  *worlds.Vouchers // once it was asked for
}

// newStage starts a server on a socket, so that it can come back under the same
// address.
func newStage(tb testing.TB) *stage {
	tb.Helper()
	a := mustAuthority(tb)
	s := &stage{tb: tb, authority: a, creds: make(map[worlds.Node]string)}
	s.options = ServerOptions{Dir: a.Dir(), Listen: "127.0.0.1:0"}
	s.server = mustServer(tb, s.options)
	s.options.Listen = s.server.Addr()
	return s
}

// restart ends the server and starts it again.
func (s *stage) restart() {
	s.tb.Helper()
	s.server.Close()
	s.server = mustServer(s.tb, s.options)
}

func (s *stage) credsOf(node worlds.Node) string {
	if s.creds[node] == "" {
		s.creds[node] = mustCreds(s.tb, s.authority, node)
	}
	return s.creds[node]
}

func (s *stage) connect(node worlds.Node) *Conn {
	s.tb.Helper()
	c, err := Connect(context.Background(), Options{URL: "nats://" + s.options.Listen, Creds: s.credsOf(node), Demand: true, Logger: testLog(s.tb)})
	if err != nil {
		s.tb.Fatal(err)
	}
	s.tb.Cleanup(func() { c.Close() })
	return c
}

// testManager is one that runs.
type testManager struct {
	conn    *Conn
	monitor Monitor
	stop    context.CancelFunc
	done    chan struct{}
}

const testLease = 500 * time.Millisecond

func (s *stage) manage(node worlds.Node, o ManagerOptions) *testManager {
	s.tb.Helper()
	return s.manageOn(s.connect(node), o)
}

// manageOn runs a manager on a connection.
func (s *stage) manageOn(conn *Conn, o ManagerOptions) *testManager {
	s.tb.Helper()
	m := &testManager{conn: conn, done: make(chan struct{})}
	o.Monitor = &m.monitor
	if o.Lease == 0 {
		o.Lease = testLease
	}
	if o.Heartbeat == 0 {
		o.Heartbeat = 100 * time.Millisecond
	}
	var ctx context.Context
	ctx, m.stop = context.WithCancel(context.Background())
	go func() {
		defer close(m.done)
		if err := RunManager(ctx, m.conn, o); err != nil {
			s.tb.Error(err)
		}
	}()
	s.tb.Cleanup(m.end)
	return m
}

func (m *testManager) leads() bool { return m.monitor.Stats().Leads }

func (m *testManager) end() {
	m.stop()
	<-m.done
}

// correspondent is a node that keeps what it is delivered, and a member's copy.
type correspondent struct {
	tb    testing.TB
	stage *stage
	conn  *Conn
	node  *Node

	mu     sync.Mutex
	events []worlds.Event
	member *worlds.Member
	ups    int
	epochs int
	start  time.Time
}

func (s *stage) correspond(node worlds.Node, incarnation uint64) *correspondent {
	s.tb.Helper()
	return s.correspondEvery(node, incarnation, helloEvery)
}

// correspondEvery is for a node that says hello so often.
func (s *stage) correspondEvery(node worlds.Node, incarnation uint64, hello time.Duration) *correspondent {
	s.tb.Helper()
	c := &correspondent{tb: s.tb, stage: s, conn: s.connect(node), start: time.Now()}
	c.conn.helloEvery = hello
	c.member = worlds.NewMember(worlds.NewList(worlds.EncodeGrunt), worlds.MemberOptions{AskEvery: 20 * time.Millisecond})
	ready := make(chan struct{})
	var err error
	c.node, err = c.conn.Node(NodeOptions{Incarnation: incarnation, Deliver: func(e worlds.Event) {
		<-ready
		c.take(e)
	}})
	close(ready)
	if err == nil {
		err = c.conn.nats.Flush() // what others say from now on reaches it
	}
	if err != nil {
		s.tb.Fatal(err)
	}
	return c
}

func (c *correspondent) take(e worlds.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = append(c.events, e)
	now := time.Since(c.start).Milliseconds()
	var needs worlds.MemberNeeds
	switch {
	case e.Up:
		c.ups++
	case e.Change != nil:
		needs = c.member.Change(e.Change, now)
	case e.Snapshot != nil:
		needs = c.member.Snapshot(e.Snapshot, now)
	case e.Pulse != nil:
		needs = c.member.Pulse(e.Pulse, now)
	default:
		return
	}
	if needs.NewEpoch {
		c.epochs++
	}
	if needs.AskSnapshot || e.Up && c.conn.Self().Kind() == worlds.KindLogin {
		c.node.Submit([]worlds.Effect{{AskSnapshot: true}})
	}
}

func (c *correspondent) submit(effects ...worlds.Effect) { c.node.Submit(effects) }

// holdAlice announces a key until it is known: an Up that comes in between, of a
// world that was not heard for a moment, has the directory forget what came before.
func (c *correspondent) holdAlice(m *testManager) {
	c.tb.Helper()
	eventually(c.tb, "the key is known", func() bool {
		c.submit(c.stage.vouched(c.conn.Self(), announce("ALICE", 10, worlds.AnnounceHeld)))
		return m.monitor.Stats().Directory.Entries == 1
	})
}

// vouchers are those of the region, as a login server gets them.
func (s *stage) vouchers() *worlds.Vouchers {
	s.tb.Helper()
	c := s.connect("login.vouchers")
	defer c.Close()
	var v *worlds.Vouchers
	eventually(s.tb, "the voucher key", func() bool {
		answer, err := c.request(context.Background(), subjectSnapshot, []byte("{}"))
		if err != nil {
			return false // nobody leads yet
		}
		list, err := decodeSnapshot(answer)
		if err != nil {
			s.tb.Fatal(err)
		}
		v = worlds.NewVouchers(&list.VoucherKey)
		return v.Ready()
	})
	return v
}

// vouched gives what a world announces the voucher that a login server would have
// given it.
func (s *stage) vouched(world worlds.Node, e worlds.Effect) worlds.Effect {
	s.tb.Helper()
	if s.vouching == nil {
		s.vouching = s.vouchers()
	}
	a := e.Announce
	a.Voucher = s.vouching.Make(worlds.VoucherClaimed, world, a.Account, worlds.Stay{Stamp: a.Stamp, Hop: a.Hop})
	return e
}

// count is how many events so far are such.
func (c *correspondent) count(is func(*worlds.Event) bool) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.events {
		if is(&c.events[i]) {
			n++
		}
	}
	return n
}

// find is the last event that is such, or nil.
func (c *correspondent) find(is func(*worlds.Event) bool) *worlds.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := len(c.events) - 1; i >= 0; i-- {
		if is(&c.events[i]) {
			return &c.events[i]
		}
	}
	return nil
}

// shows tells whether the member's copy has the world, offline or not.
func (c *correspondent) shows(id uint8, offline bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.member.Entries() {
		if e.ID == id {
			return e.Offline == offline
		}
	}
	return false
}

func (c *correspondent) version() worlds.Version {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.member.Version()
}

func (c *correspondent) newEpochs() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.epochs
}

func mustName(tb testing.TB, s string) codec.Name {
	tb.Helper()
	n, ok := codec.NameOf(s)
	if !ok {
		tb.Fatalf("%q is no name", s)
	}
	return n
}

func testRegistration(id uint8, incarnation uint64) worlds.Registration {
	return worlds.Registration{
		World: worlds.World{
			ID: id, Name: "World " + string('A'+rune(id)), Address: "10.0.0.1:8085", Kind: worlds.KindPvP, Category: 1,
			Builds: []uint16{5875, 12340},
		},
		Region: "eu", Incarnation: incarnation, Capacity: 100,
	}
}

// join registers the connection's world.
func (s *stage) join(c *Conn, r worlds.Registration) *Registrar {
	s.tb.Helper()
	reg, err := c.Register(RegisterOptions{
		World: func() worlds.Registration { return r },
		Beat:  func() worlds.Beat { return worlds.Beat{Incarnation: r.Incarnation, Population: 5, Load: 0.5} },
		Every: 30 * time.Millisecond,
	})
	if err != nil {
		s.tb.Fatal(err)
	}
	return reg
}

// testLog shows what went wrong in a test that has failed.
func testLog(tb testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(tb.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// mustJoin registers world 7 and waits until it is in the list.
func (s *stage) mustJoin(c *Conn, incarnation uint64) {
	s.tb.Helper()
	reg := s.join(c, testRegistration(7, incarnation))
	eventually(s.tb, "the world is registered", reg.Registered)
}
