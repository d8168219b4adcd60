package perf

import (
	"log/slog"
	"net"
	"runtime"
	"testing"

	"gatepass/auth"
	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/codec/grunt"
	"gatepass/logic"
	"gatepass/queue"
	"gatepass/server"
	"gatepass/storage"
)

// batch is how many messages the stages with queues move at once, about what a
// busy reactor finds in a round.
const batch = 64

// BenchmarkStage has one benchmark a stage of a login's way, each with faked
// neighbours. ns/login is the stage's share of one login: three messages in,
// three replies out.
func BenchmarkStage(b *testing.B) {
	b.Run("stage=decode", benchDecode)
	b.Run("stage=inbox", benchInbox)
	b.Run("stage=logic", benchLogic)
	b.Run("stage=prove", benchProve)
	b.Run("stage=store", benchStore)
	b.Run("stage=encode", benchEncode)
	b.Run("stage=send-queue", benchSendQueue)
}

// perLogin reports a stage's time for one login, of which an iteration had n.
func perLogin(b *testing.B, n float64) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/login")
}

func benchDecode(b *testing.B) {
	e := newEdge(b, func(in *logic.Inbox) neighbours { return newInstant(b, in) })
	c := e.newClient()
	c.enrol(accountName, password)
	fresh := *e.codec.Open()
	b.ReportAllocs()
	for b.Loop() {
		session := fresh
		for _, bytes := range [...][]byte{c.hello, c.proof, c.list} {
			if n, err := session.Decode(bytes, &c.message); err != nil || n != len(bytes) {
				b.Fatal(n, err)
			}
		}
	}
	perLogin(b, 1)
}

// benchInbox pushes from one goroutine what another takes. Five messages are a
// login: with the opened and the closed.
func benchInbox(b *testing.B) {
	consumer := queue.NewConsumer(queue.ConsumerOptions{})
	shard := queue.NewShard[codec.Message](consumer, queue.Limits{New: 4 * batch, Hard: 4 * batch}, nil)
	stop := queue.NewShard[int](consumer, queue.Limits{New: 1, Hard: 1}, nil)
	done := make(chan struct{})
	taken := uint64(0)
	go func() {
		defer close(done)
		consumer.Run(func(ready queue.Ready) bool {
			more := true
			for i, ok := ready.Next(); ok; i, ok = ready.Next() {
				more = more && i != stop.Index()
			}
			for _, m := range shard.Swap() {
				taken += m.Number
			}
			return more
		})
	}()
	m := codec.Message{Number: 1}
	pushed := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		for range batch {
			for !shard.Push(&m) {
				runtime.Gosched()
			}
		}
		pushed += batch
	}
	one := 1
	stop.Push(&one)
	<-done
	if taken != pushed {
		b.Fatalf("%d of %d messages arrived", taken, pushed)
	}
	perLogin(b, batch/5.0)
}

func benchLogic(b *testing.B) {
	s := newScript(b, nil)
	b.ReportAllocs()
	for b.Loop() {
		s.login()
	}
	s.check(b)
	perLogin(b, 1)
}

// benchProve has the auth pool make keys and check proofs, as many of each.
func benchProve(b *testing.B) {
	results := make(chan int, 2*batch)
	var key srp6.Ephemeral
	pool := newPool(b, func(rs []auth.Result) {
		for i := range rs {
			if rs[i].Err != nil {
				b.Error(rs[i].Err)
			}
			if rs[i].Kind == auth.JobMint {
				key = rs[i].Ephemeral
			}
		}
		results <- len(rs)
	})
	wait := func(n int) {
		for n > 0 {
			n -= <-results
		}
	}
	pool.Submit([]auth.Job{{Kind: auth.JobMint}})
	wait(1)
	account := demoAccount(b)
	verifier, salt := srp6.Verifier(account.Grunt.Verifier), srp6.Salt(account.Grunt.Salt)
	me, public := srp6.NewClient(accountName, password, &[32]byte{9}), key.PublicKey(&verifier)
	m1, err := me.Respond(&public, &salt)
	if err != nil {
		b.Fatal(err)
	}
	exchange := srp6.Exchange{Name: account.Name, Salt: salt, Verifier: verifier, A: me.PublicKey(), B: public, M1: m1}
	var jobs []auth.Job
	for range batch {
		jobs = append(jobs, auth.Job{Kind: auth.JobMint}, auth.Job{Kind: auth.JobProve, Ephemeral: key, Exchange: exchange})
	}
	b.ReportAllocs()
	for b.Loop() {
		if n := pool.Submit(jobs); n != len(jobs) {
			b.Fatalf("%d of %d jobs taken", n, len(jobs))
		}
		wait(len(jobs))
	}
	perLogin(b, batch)
}

// benchStore reads the account and notes the login, a batch at once. Nobody waits
// for a note, which the store applies some 20 ms later, so this does not either.
func benchStore(b *testing.B) {
	read := make(chan int, 2*batch)
	store := newStore(b, func(rs []storage.Result) {
		n := 0
		for i := range rs {
			if rs[i].Err != nil {
				b.Error(rs[i].Err)
			}
			if rs[i].Kind == storage.OpGet {
				n++
			}
		}
		if n > 0 {
			read <- n
		}
	})
	name := demoAccount(b).Name
	var ops []storage.Op
	for range batch {
		ops = append(ops, storage.Op{Kind: storage.OpGet, Name: name}, storage.Op{Kind: storage.OpLogin, Name: name, At: 1})
	}
	b.ReportAllocs()
	for b.Loop() {
		for todo := ops; len(todo) > 0; {
			n := store.Submit(todo)
			if todo = todo[n:]; n == 0 {
				runtime.Gosched() // its queue is full of notes
			}
		}
		for n := batch; n > 0; {
			n -= <-read
		}
	}
	perLogin(b, batch)
}

func benchEncode(b *testing.B) {
	e := newEdge(b, func(in *logic.Inbox) neighbours { return newInstant(b, in) })
	c := e.newClient()
	c.enrol(accountName, password)
	session := *e.codec.Open()
	if _, err := session.Decode(c.hello, &c.message); err != nil {
		b.Fatal(err)
	}
	challenge := codec.Reply{Kind: codec.ReplyLogonChallenge}
	verdict := codec.Reply{Kind: codec.ReplyLogonProof}
	want := len(c.challenge) + len(c.verdict)
	buf := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() { // the list of worlds is encoded once for all
		out, err := session.Append(buf, &challenge)
		if err == nil {
			out, err = session.Append(out, &verdict)
		}
		if err != nil || len(out) != want {
			b.Fatalf("%d bytes, want %d: %v", len(out), want, err)
		}
	}
	perLogin(b, 1)
}

// benchSendQueue sends to handles of connections that are gone: the way from the
// logic over the sender to the reactor's table, without the write.
func benchSendQueue(b *testing.B) {
	opened := make(sinkOf, 1)
	s, err := server.New(server.Options{
		Listeners: []server.Listener{{
			Addr: "127.0.0.1:0", Protocol: func() server.Session { return grunt.New(grunt.Options{}).Open() },
		}},
		Reactors: 1, Logger: slog.New(slog.DiscardHandler),
		Sink: func(int) server.Sink { return opened },
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Start(); err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	client, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	alive := <-opened
	gone := codec.NewConn(alive.Reactor(), alive.Slot(), alive.Generation()+1)
	reply, sent := codec.Reply{Kind: codec.ReplyLogonProof}, uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		for range batch {
			if !s.Queue().Send(gone, &reply) {
				b.Fatal("no room")
			}
		}
		s.Queue().Flush()
		for s.Stats().SendQueued > 0 {
			runtime.Gosched()
		}
		sent += batch
	}
	for uint64(s.Stats().DeadHandles) < sent {
		runtime.Gosched()
	}
	perLogin(b, batch/3.0)
}

// sinkOf tells which connection was opened.
type sinkOf chan codec.Conn

func (s sinkOf) Offer(m *codec.Message) bool { s <- m.Conn; return true }

func (sinkOf) Deliver(*codec.Message) bool { return true }
