package perf

import (
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"testing"
	"time"

	"gatepass/auth"
	"gatepass/codec"
	"gatepass/codec/grunt"
	"gatepass/logic"
	"gatepass/queue"
	"gatepass/server"
	"gatepass/storage"
)

// allocs counts the heap allocations of f in steady state, those of all
// goroutines that it drives included.
func allocs(t *testing.T, what string, budget float64, f func()) {
	t.Helper()
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for range 2_000 {
		f()
	}
	n := testing.AllocsPerRun(1_000, f)
	t.Logf("%s: %v allocations", what, n)
	if n > budget {
		t.Errorf("%s: %v allocations, budget %v", what, n, budget)
	}
}

// Budget: 0 allocations to decode a message. (codec/grunt and server have their
// own for each reply and for a reactor's write.)
func TestBudget_Decode_AllocatesNothing(t *testing.T) {
	e := newEdge(t, func(in *logic.Inbox) neighbours { return newInstant(t, in) })
	c := e.newClient()
	c.enrol(accountName, password)
	fresh := *e.codec.Open()
	allocs(t, "decode of a login", 0, func() {
		session := fresh
		for _, b := range [...][]byte{c.hello, c.proof, c.list} {
			if _, err := session.Decode(b, &c.message); err != nil {
				t.Error(err)
			}
		}
	})
}

// Budget: 0 allocations to hand a message from reactor to logic.
func TestBudget_Inbox_AllocatesNothing(t *testing.T) {
	consumer := queue.NewConsumer(queue.ConsumerOptions{Lend: true})
	taken := 0
	shard := queue.NewShard[codec.Message](consumer, queue.Limits{New: 64, Hard: 64}, nil)
	stop := queue.NewShard[int](consumer, queue.Limits{New: 1, Hard: 1}, nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		consumer.Run(func(ready queue.Ready) bool {
			more := true
			for i, ok := ready.Next(); ok; i, ok = ready.Next() {
				more = more && i != stop.Index()
			}
			taken += len(shard.Swap())
			return more
		})
	}()
	var m codec.Message
	allocs(t, "32 messages", 0, func() {
		for range 32 {
			if !shard.Push(&m) {
				t.Error("no room")
			}
		}
		for shard.Stats().Len > 0 {
			runtime.Gosched()
		}
	})
	one := 1
	stop.Push(&one)
	<-done
}

// Budget: 0 allocations for a whole login on the way codec, inbox, logic and
// back, with a store and an auth pool that answer at once. The codec's Session,
// one a connection, is not counted: it is used again here.
func TestBudget_Login_AllocatesNothing(t *testing.T) {
	e := newEdge(t, func(in *logic.Inbox) neighbours { return newInstant(t, in) })
	c := e.newClient()
	c.enrol(accountName, password)
	fresh := *e.codec.Open()
	now := int64(1_700_000_000_000)
	allocs(t, "a login", 0, func() {
		now += 100
		e.inbox.Tick(now, now)
		c.conn = codec.NewConn(0, 0, c.conn.Generation()+1)
		c.session = fresh
		c.message.Conn, c.message.Kind = c.conn, codec.KindOpened
		if !c.sink.Offer(&c.message) {
			t.Error("refused")
		}
		for _, b := range [...][]byte{c.hello, c.proof, c.list} {
			c.say(b)
		}
		c.close()
	})
}

// Budget: 2 allocations for a whole login with the real store and auth pool. One
// is the account that the store hands over for good; the other is left for what
// the store does in the background, spread over the logins.
func TestBudget_Pipeline_AllocatesTheAccount(t *testing.T) {
	c := newPipeline(t).newClient()
	c.enrol(accountName, password)
	allocs(t, "a login through store and auth pool", 2, func() {
		if !c.login() {
			t.Error("a login was answered wrongly")
		}
	})
}

// Budget: 0 allocations a message over a real socket, from the client's request
// to its answer, where the logic lends its rounds to the reactor; where it has a
// thread of its own, the two small objects of gnet's with which a reactor that is
// not awake is sent a task, and none of ours.
func TestBudget_SocketRoundTrip_OnlyGnetAllocates(t *testing.T) {
	for lend, budget := range map[bool]float64{true: 0, false: 2} {
		c := dialEdge(t, lend)
		request, answer := grunt.AppendRealmListRequest(nil), make([]byte, 4<<10)
		allocs(t, fmt.Sprintf("round trip, lend=%v", lend), budget, func() {
			if _, err := c.Write(request); err != nil {
				t.Fatal(err)
			}
			if n, err := c.Read(answer); err != nil || n < 8 {
				t.Fatalf("%d bytes, %v", n, err)
			}
		})
	}
}

// dialEdge starts an edge with a real server in front of it and returns a client
// that has logged in.
func dialEdge(t *testing.T, lend bool) net.Conn {
	t.Helper()
	var s *server.Server
	inbox := logic.NewInbox(1, logic.DefaultClientInbox, lend, func(i int) { s.Resume(i) })
	protocol := grunt.New(grunt.Options{})
	s, err := server.New(server.Options{
		Listeners: []server.Listener{{
			Addr: "127.0.0.1:0", Protocol: func() server.Session { return protocol.Open() },
		}},
		Reactors: 1, Logger: slog.New(slog.DiscardHandler),
		Sink: func(i int) server.Sink { return inbox.Client(i) },
	})
	if err != nil {
		t.Fatal(err)
	}
	n := newInstant(t, inbox)
	core, err := logic.NewCore(coreOptions(), logic.Ports{Out: s.Queue(), Store: n.store, Prover: n.prover, Worlds: demoWorlds(t)})
	if err != nil {
		t.Fatal(err)
	}
	loop := logic.NewLoop(core, inbox, nil)
	inbox.Tick(1_700_000_000_000, 1_700_000_000_000)
	go loop.Run()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		inbox.Command(logic.Command{Kind: logic.CommandClose})
		<-loop.Done()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return logIn(t, s)
}

func logIn(t *testing.T, s *server.Server) net.Conn {
	t.Helper()
	e := newEdge(t, func(in *logic.Inbox) neighbours { return newInstant(t, in) })
	script := e.newClient()
	script.enrol(accountName, password)
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 256)
	for _, b := range [...][]byte{script.hello, script.proof} {
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(buf); err != nil || n < 2 || buf[1] != 0 && buf[0] != 0 {
			t.Fatalf("%x, %v", buf[:n], err)
		}
	}
	return c
}

// sessionBudget is what the logic may keep for a client that has logged in, in
// bytes: session, session key for the reconnect, deadlines. 1,600 bytes resident
// a held connection is the aim for the process; gnet's connection with its
// addresses, the reactor's slot and the kernel's page rounding take the rest.
const sessionBudget = 512

func TestBudget_Session_BytesInLogic(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector changes sizes")
	}
	const sessions = 10_000
	core, err := logic.NewCore(coreOptions(), logic.Ports{Out: deaf{}, Store: deafStore{}, Prover: deafProver{}, Worlds: demoWorlds(t)})
	if err != nil {
		t.Fatal(err)
	}
	core.Step(logic.FromClock(1_700_000_000_000, 1_700_000_000_000))
	core.Flush()
	before := heap()
	for i := range sessions {
		playIn(core, i)
	}
	if n := core.Stats().InState[logic.StateChoosing]; n != sessions {
		t.Fatalf("%d of %d sessions are logged in", n, sessions)
	}
	perSession := (heap() - before) / sessions
	t.Logf("%d bytes a session", perSession)
	if perSession > sessionBudget {
		t.Errorf("%d bytes a session, budget %d", perSession, sessionBudget)
	}
	runtime.KeepAlive(core)
}

// playIn logs one client in, its neighbours' answers included.
func playIn(core *logic.Core, i int) {
	conn := codec.NewConn(0, i, 1)
	var name codec.Name
	copy(name[:], "P")
	for n, at := i, 1; n > 0; n, at = n/10, at+1 {
		name[at] = '0' + byte(n%10)
	}
	core.Step(logic.FromPool(&auth.Result{Kind: auth.JobMint}))
	core.Step(logic.FromClient(&codec.Message{Kind: codec.KindOpened, Conn: conn}))
	core.Step(logic.FromClient(&codec.Message{Kind: codec.KindLogonChallenge, Conn: conn, Hello: codec.Hello{Name: name, Build: uint16(grunt.Build1121)}}))
	core.Step(logic.FromStore(&storage.Result{Kind: storage.OpGet, Tag: uint64(conn), Account: &storage.Account{Grunt: storage.GruntVerifier{Set: true}}}))
	core.Step(logic.FromClient(&codec.Message{Kind: codec.KindLogonProof, Conn: conn}))
	core.Step(logic.FromPool(&auth.Result{Kind: auth.JobProve, Tag: uint64(conn)}))
	core.Flush()
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// deaf are neighbours that take everything and never answer.
type deaf struct{}

func (deaf) Send(codec.Conn, *codec.Reply) bool       { return true }
func (deaf) SendLast(codec.Conn, *codec.Reply) bool   { return true }
func (deaf) SendFrame(codec.Conn, []byte) bool        { return true }
func (deaf) Broadcast([]codec.Conn, []byte) bool      { return true }
func (deaf) Close(codec.Conn, codec.CloseReason) bool { return true }
func (deaf) Flush()                                   {}

func (deaf) StartTransfer(codec.Conn, *codec.Transfer) bool { return true }

type deafStore struct{}

func (deafStore) Submit(ops []storage.Op) int { return len(ops) }

type deafProver struct{}

func (deafProver) Submit(jobs []auth.Job) int { return len(jobs) }
