package perf

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"gatepass/auth"
	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/codec/grunt"
	"gatepass/logic"
	"gatepass/patches"
	"gatepass/storage"
	"gatepass/storage/pebble"
	"gatepass/worlds"
)

const (
	accountName, password = "PLAYER", "SECRET"
	patience              = 20 * time.Second

	// maxClients is how many clients have an account each: a second login to one
	// account would end the first.
	maxClients = 32
)

// nameOf is the i-th name of a kind; the first is the kind itself.
func nameOf(kind string, i int) string {
	if i == 0 {
		return kind
	}
	return fmt.Sprint(kind, i)
}

// edge is a login server without sockets: the parts as cmd plugs them together,
// with clients in the place of reactors and sender.
type edge struct {
	tb      testing.TB
	codec   *grunt.Codec
	inbox   *logic.Inbox
	clients []*client // by slot
	flushed int
}

// neighbours are what the logic asks; each is told the inbox before it is used.
type neighbours struct {
	store  logic.Store
	prover logic.Prover
}

// newEdge starts a logic; join makes its neighbours.
func newEdge(tb testing.TB, join func(inbox *logic.Inbox) neighbours) *edge {
	e := &edge{tb: tb, codec: grunt.New(grunt.Options{})}
	e.inbox = logic.NewInbox(1, logic.DefaultClientInbox, true, func(int) {})
	n := join(e.inbox)
	core, err := logic.NewCore(coreOptions(), logic.Ports{Out: e, Store: n.store, Prover: n.prover, Worlds: demoWorlds(tb)})
	if err != nil {
		tb.Fatal(err)
	}
	loop := logic.NewLoop(core, e.inbox, nil)
	e.inbox.Tick(1_700_000_000_000, 1_700_000_000_000)
	go loop.Run()
	tb.Cleanup(func() {
		e.inbox.Command(logic.Command{Kind: logic.CommandClose})
		<-loop.Done()
	})
	return e
}

func coreOptions() logic.Options {
	builds := patches.NewSet(patches.Defaults{Grunt: []uint16{5875, 8606, 12340}})
	return logic.Options{Versions: builds, Secret: [32]byte{1}, ReconnectGrace: time.Minute, Logger: slog.New(slog.DiscardHandler)}
}

func demoWorlds(tb testing.TB) *worlds.List {
	list := worlds.NewList(worlds.EncodeGrunt)
	if err := list.SetStatic([]worlds.World{
		{ID: 1, Name: "Demo One", Address: "127.0.0.1:8085", Kind: worlds.KindPvP, Category: 1},
		{ID: 2, Name: "Demo Two", Address: "127.0.0.1:8086", Kind: worlds.KindRP, Category: 1},
	}); err != nil {
		tb.Fatal(err)
	}
	return list
}

// The Outbox: it does what a reactor does with a reply, and lets the client go
// on. All of it runs on the logic's goroutine.

func (e *edge) Send(conn codec.Conn, r *codec.Reply) bool {
	c := e.clients[conn.Slot()]
	out, err := c.session.Append(c.answer[:0], r)
	if err != nil {
		e.tb.Error(err)
	}
	c.answer = out
	c.answered <- struct{}{}
	return true
}

func (e *edge) SendFrame(conn codec.Conn, frame []byte) bool {
	c := e.clients[conn.Slot()]
	c.answer = append(c.answer[:0], frame...)
	c.answered <- struct{}{}
	return true
}

// StartTransfer is nothing that these clients expect.
func (e *edge) StartTransfer(codec.Conn, *codec.Transfer) bool { return false }

// Broadcast is nothing that these clients expect.
func (e *edge) Broadcast([]codec.Conn, []byte) bool { return false }

func (e *edge) SendLast(conn codec.Conn, r *codec.Reply) bool { return e.Send(conn, r) }

// Close is nothing that these clients expect: one that waits is let go with no
// answer, which is a wrong one.
func (e *edge) Close(conn codec.Conn, _ codec.CloseReason) bool {
	c := e.clients[conn.Slot()]
	select {
	case c.answered <- struct{}{}:
		c.answer = c.answer[:0]
	default:
	}
	return true
}

func (e *edge) Flush() { e.flushed++ }

// client plays one connection at a time, with bytes that are always the same:
// the server's randomness is fixed (see newPool), so its answers are too, and a
// client costs next to nothing.
type client struct {
	edge    *edge
	sink    logic.ClientSink
	conn    codec.Conn
	session grunt.Session
	message codec.Message

	answer   []byte
	answered chan struct{}

	// what is said, and what must be answered
	hello, proof, list         []byte
	challenge, verdict, worlds []byte
}

func (e *edge) newClient() *client {
	c := &client{
		edge: e, sink: e.inbox.Client(0), answered: make(chan struct{}, 1),
		conn: codec.NewConn(0, len(e.clients), 0), list: grunt.AppendRealmListRequest(nil),
	}
	e.clients = append(e.clients, c)
	return c
}

// enrol learns what a good login of the account looks like.
func (c *client) enrol(name, password string) {
	tb := c.edge.tb
	hello := codec.Hello{Major: 1, Minor: 12, Patch: 1, Build: uint16(grunt.Build1121)}
	copy(hello.Name[:], name)
	var err error
	if c.hello, err = grunt.AppendChallenge(nil, codec.KindLogonChallenge, &hello); err != nil {
		tb.Fatal(err)
	}
	c.open()
	c.challenge = bytes.Clone(c.say(c.hello))
	layout := grunt.LayoutOf(grunt.Build1121)
	reply, _, err := grunt.ParseChallengeReply(c.challenge, layout)
	if err != nil || reply.Result != codec.ResultOK {
		tb.Fatalf("challenge: %v, %v", reply.Result, err)
	}
	me := srp6.NewClient(name, password, &[32]byte{9})
	m1, err := me.Respond((*srp6.PublicKey)(&reply.Challenge.B), (*srp6.Salt)(&reply.Challenge.Salt))
	if err != nil {
		tb.Fatal(err)
	}
	proof := grunt.Proof{Proof: codec.Proof{A: me.PublicKey(), M1: m1}}
	if c.proof, err = grunt.AppendProof(nil, layout, &proof); err != nil {
		tb.Fatal(err)
	}
	c.verdict = bytes.Clone(c.say(c.proof))
	if c.session.Build() != grunt.Build1121 {
		tb.Fatalf("build %d", c.session.Build())
	}
	if reply, _, err = grunt.ParseProofReply(c.verdict, layout); err != nil {
		tb.Fatal(err)
	}
	if reply.Result == codec.ResultOK {
		c.worlds = bytes.Clone(c.say(c.list))
	}
	c.close()
}

// open begins a connection in the client's slot.
func (c *client) open() {
	c.conn = codec.NewConn(0, c.conn.Slot(), c.conn.Generation()+1)
	c.session = *c.edge.codec.Open()
	c.message = codec.Message{Conn: c.conn, Kind: codec.KindOpened, Peer: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 1)}
	if !c.sink.Offer(&c.message) {
		c.edge.tb.Error("the connection was refused")
	}
}

// say sends one message and returns the answer.
func (c *client) say(b []byte) []byte {
	c.tell(b)
	<-c.answered
	return c.answer
}

// tell sends one message.
func (c *client) tell(b []byte) {
	n, err := c.session.Decode(b, &c.message)
	if err != nil || n != len(b) {
		c.edge.tb.Errorf("decode: %d of %d bytes, %v", n, len(b), err)
	}
	c.message.Conn = c.conn
	if !c.sink.Deliver(&c.message) {
		c.edge.tb.Error("no room in the inbox")
	}
}

func (c *client) close() {
	c.message.Kind, c.message.Reason = codec.KindClosed, codec.ClosePeer
	if !c.sink.Deliver(&c.message) {
		c.edge.tb.Error("no room in the inbox")
	}
}

// login is one whole login, each answer checked; the wait for them is between
// the steps, so that many clients' logins can go on at once.
func (c *client) login() (right bool) {
	c.open()
	right = bytes.Equal(c.say(c.hello), c.challenge)
	right = bytes.Equal(c.say(c.proof), c.verdict) && right
	if c.worlds != nil {
		right = bytes.Equal(c.say(c.list), c.worlds) && right
	}
	c.close()
	return right
}

// sameBytes is a source of randomness that always gives the same byte, however
// it is cut, so that a login can be replayed byte by byte.
type sameBytes struct{}

func (sameBytes) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 0x55
	}
	return len(p), nil
}

func newPool(tb testing.TB, deliver func([]auth.Result)) *auth.Pool {
	pool, err := auth.NewPool(auth.Options{Workers: 1, Random: sameBytes{}, Deliver: deliver})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(pool.Close)
	return pool
}

func demoAccount(tb testing.TB) storage.Account { return account(tb, accountName) }

func account(tb testing.TB, text string) storage.Account {
	name, err := storage.FoldName(text)
	if err != nil {
		tb.Fatal(err)
	}
	salt := srp6.NewSalt(&[32]byte{7})
	return storage.Account{Name: name, Grunt: storage.GruntVerifier{
		Set: true, Salt: salt, Verifier: srp6.NewVerifier(&salt, text, password),
	}}
}

// newStore opens a store in memory that holds an account for each client.
func newStore(tb testing.TB, deliver func([]storage.Result)) *pebble.Store {
	created := make(chan error, 1)
	store, err := pebble.Open(pebble.Options{
		Dir: "store", FS: vfs.NewMem(),
		Deliver: func(results []storage.Result) {
			if results[0].Kind == storage.OpCreate {
				created <- results[0].Err
				return
			}
			deliver(results)
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := store.Close(); err != nil {
			tb.Error(err)
		}
	})
	for i := range maxClients {
		a := account(tb, nameOf(accountName, i))
		store.Submit([]storage.Op{{Kind: storage.OpCreate, Name: a.Name, Account: &a}})
		if err := <-created; err != nil {
			tb.Fatal(err)
		}
	}
	return store
}

// instant are neighbours that answer at once, without work and without
// allocating: what is left is codec, inbox and logic.
type instant struct {
	inbox   *logic.Inbox
	account *storage.Account
	key     srp6.Ephemeral
	stored  [1]storage.Result
	proved  [1]auth.Result
}

func newInstant(tb testing.TB, inbox *logic.Inbox) neighbours {
	account := demoAccount(tb)
	n := &instant{inbox: inbox, account: &account, key: srp6.NewEphemeral(&[srp6.SecretSize]byte{5})}
	return neighbours{store: instantStore{n}, prover: instantProver{n}}
}

type instantStore struct{ *instant }

func (n instantStore) Submit(ops []storage.Op) int {
	for i := range ops {
		n.stored[0] = storage.Result{Kind: ops[i].Kind, Tag: ops[i].Tag, Name: ops[i].Name}
		if ops[i].Kind == storage.OpGet {
			n.stored[0].Account = n.account
		}
		n.inbox.Stored(n.stored[:])
	}
	return len(ops)
}

type instantProver struct{ *instant }

func (n instantProver) Submit(jobs []auth.Job) int {
	for i := range jobs {
		n.proved[0] = auth.Result{Kind: jobs[i].Kind, Tag: jobs[i].Tag}
		if jobs[i].Kind == auth.JobMint {
			n.proved[0].Ephemeral = n.key
		}
		n.inbox.Proved(n.proved[:])
	}
	return len(jobs)
}
