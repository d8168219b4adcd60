package perf

import (
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"gatepass/auth"
	"gatepass/auth/keyschedule"
	"gatepass/auth/srp6a"
	"gatepass/codec"
	"gatepass/codec/native"
	pb "gatepass/codec/native/gatepasspb"
	"gatepass/logic"
	"gatepass/server"
	"gatepass/storage"
)

// Budget: 0 allocations for what a native client that is in says and is told, sealed
// both ways, over a real socket, where the logic lends its rounds to the reactor; where
// it has a thread of its own, gnet's two. A refused pick has the reason and the
// alternatives beside it: one object of ours.
func TestBudget_NativeRoundTrip_OnlyGnetAllocates(t *testing.T) {
	for lend, gnets := range map[bool]float64{true: 0, false: 2} {
		c := dialNative(t, lend)
		for name, m := range map[string]struct {
			frame  *pb.ClientFrame
			budget float64
		}{
			"ping": {&pb.ClientFrame{Body: &pb.ClientFrame_Ping{Ping: &pb.Ping{Number: 1}}}, 0},
			"pick": {&pb.ClientFrame{Body: &pb.ClientFrame_SelectWorld{SelectWorld: &pb.SelectWorld{World: 99}}}, 1},
		} {
			body, err := proto.Marshal(m.frame)
			if err != nil {
				t.Fatal(err)
			}
			allocs(t, fmt.Sprintf("%s, lend=%v", name, lend), gnets+m.budget, func() {
				c.write(body)
				c.read()
			})
		}
	}
}

// nativeClient is a client of the native protocol on a real socket.
type nativeClient struct {
	net.Conn
	t          *testing.T
	said       native.Transcript
	open       bool
	toUs, ours native.Direction
	in, out    []byte
}

// write sends a body: in the clear at first, then sealed.
func (c *nativeClient) write(body []byte) {
	if c.open {
		c.out = c.ours.Seal(c.out[:0], body)
	} else {
		c.said.Add(body)
		c.out = append(binary.LittleEndian.AppendUint32(c.out[:0], uint32(len(body))), body...)
	}
	if _, err := c.Write(c.out); err != nil {
		c.t.Fatal(err)
	}
}

// read takes the next frame's body, which is good until the next.
func (c *nativeClient) read() []byte {
	if _, err := io.ReadFull(c, c.in[:native.HeaderSize]); err != nil {
		c.t.Fatal(err)
	}
	frame := c.in[:native.HeaderSize+binary.LittleEndian.Uint32(c.in)]
	if _, err := io.ReadFull(c, frame[native.HeaderSize:]); err != nil {
		c.t.Fatal(err)
	}
	if !c.open {
		return frame[native.HeaderSize:]
	}
	body, err := c.toUs.Open(frame)
	if err != nil {
		c.t.Fatal(err)
	}
	return body
}

func (c *nativeClient) tell(m *pb.ClientFrame) {
	body, err := proto.Marshal(m)
	if err != nil {
		c.t.Fatal(err)
	}
	c.write(body)
}

func (c *nativeClient) hear() *pb.ServerFrame {
	var m pb.ServerFrame
	if err := proto.Unmarshal(c.read(), &m); err != nil {
		c.t.Fatal(err)
	}
	return &m
}

var nativeKnown = srp6a.Known{Params: srp6a.Params{Group: srp6a.Group2048, KDF: srp6a.MinKDF()}, X: [32]byte{3}}

// nativeStore answers at once, with the one account there is.
type nativeStore struct {
	inbox   *logic.Inbox
	account storage.Account
}

func (n *nativeStore) Submit(ops []storage.Op) int {
	for i := range ops {
		r := storage.Result{Kind: ops[i].Kind, Tag: ops[i].Tag, Name: ops[i].Name}
		if ops[i].Kind == storage.OpGet {
			r.Account = &n.account
		}
		n.inbox.Stored([]storage.Result{r})
	}
	return len(ops)
}

// dialNative starts an edge with a real server and auth pool, and signs in.
func dialNative(t *testing.T, lend bool) *nativeClient {
	t.Helper()
	var s *server.Server
	inbox := logic.NewInbox(1, logic.DefaultClientInbox, lend, func(i int) { s.Resume(i) })
	protocol := native.New(native.Options{})
	s, err := server.New(server.Options{
		Listeners: []server.Listener{{
			Addr: "127.0.0.1:0", Speaks: codec.ProtocolNative, Protocol: func() server.Session { return protocol.Open() },
		}},
		Reactors: 1, Logger: slog.New(slog.DiscardHandler),
		Sink: func(i int) server.Sink { return inbox.Client(i) },
	})
	if err != nil {
		t.Fatal(err)
	}
	v := nativeKnown.Verifier()
	store := &nativeStore{inbox: inbox, account: demoAccount(t)}
	store.account.Others = map[string][]byte{storage.ProtocolNative: v.Append(nil)}
	pool := newPool(t, func(r []auth.Result) { inbox.Proved(r) })
	core, err := logic.NewCore(coreOptions(), logic.Ports{Out: s.Queue(), Store: store, Prover: pool, Worlds: demoWorlds(t)})
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
	return signIn(t, s.Addr().String())
}

// signIn proves the password and waits for the list of worlds.
func signIn(t *testing.T, addr string) *nativeClient {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	c := &nativeClient{Conn: conn, t: t, said: native.NewTranscript(false), in: make([]byte, 64<<10), out: make([]byte, 0, 4096)}
	nonces := keyschedule.Nonces{Client: [32]byte{8}}
	c.tell(&pb.ClientFrame{Body: &pb.ClientFrame_SignIn{SignIn: &pb.SignIn{
		Version: 1, Account: accountName, Nonce: nonces.Client[:], Build: 5875,
	}}})
	body := c.read()
	var m pb.ServerFrame
	if err := proto.Unmarshal(body, &m); err != nil || m.GetPasswordChallenge() == nil {
		t.Fatalf("%v, %v, want a challenge", &m, err)
	}
	c.said.Add(body)
	ch := m.GetPasswordChallenge()
	nonces.Server = [32]byte(ch.Nonce)
	me := srp6a.NewClient(nativeKnown.Identity(accountName), &[32]byte{9})
	a, m1, err := me.Respond(&srp6a.Challenge{Params: nativeKnown.Params, Salt: [32]byte(ch.Salt), B: ch.PublicKey})
	if err != nil {
		t.Fatal(err)
	}
	c.tell(&pb.ClientFrame{Body: &pb.ClientFrame_PasswordProof{PasswordProof: &pb.PasswordProof{PublicKey: a, Proof: m1[:]}}})
	if m := c.hear(); m.GetAccepted() == nil || me.CheckServer((*[32]byte)(m.GetAccepted().Proof)) != nil {
		t.Fatalf("%v, want to be accepted", m)
	}
	keys := keyschedule.Password(me.Secret(), &nonces, (*[32]byte)(&c.said))
	c.toUs, c.ours, c.open = native.NewDirection(&keys.ToClient), native.NewDirection(&keys.ToServer), true
	for c.hear().GetWorldSnapshot() == nil { // Welcome comes before
	}
	return c
}
