package client_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatepass/auth/devicetoken"
	"gatepass/auth/keyschedule"
	"gatepass/auth/srp6a"
	"gatepass/client"
	"gatepass/codec"
	"gatepass/codec/native"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	account  = "ANA"
	password = "correct horse"
	ping     = 10 * time.Second
)

// step is a place in the fake's conversation where a test may step in.
type step string

const (
	stepConnected  step = "connected"
	stepHeardHello step = "heard the hello"
	stepChallenged step = "told the challenge"
	stepHeardProof step = "heard the proof"
	stepProven     step = "believed the proof, not said so"
	stepAccepted   step = "told accepted"
	stepWelcomed   step = "told welcome"
	stepListed     step = "told the list"
)

var loginSteps = []step{
	stepConnected, stepHeardHello, stepChallenged, stepHeardProof, stepProven, stepAccepted, stepWelcomed, stepListed,
}

// fake is a login server and the gates behind it in one process, for faults that a
// real one cannot be brought to. It speaks by the server's own codec. What a test
// sets is set before the first dial; the rest is guarded by mu.
type fake struct {
	verifier srp6a.Verifier
	worlds   []native.World
	// at is asked at every step of every connection (from 1) what to do there; behind
	// the first dial it is changed by setAt.
	at func(p *peer, s step) verdict
	// after goes on behind the list.
	after func(p *peer)
	// gate serves a connection to a gate, whole.
	gate func(g *gatePeer)
	// update goes on behind Accepted, whole, if it is set.
	update func(p *peer, keys *keyschedule.Keys)
	// hello looks at a SignIn, if it is set.
	hello func(m *codec.Message)
	// remembers offers tokens.
	remembers bool
	factor    codec.Factors
	code      string

	mu      sync.Mutex
	dials   int
	dialled []time.Time
	down    bool // nobody listens
	// The token that is stored, if any.
	asked    map[int]bool // the connections that have asked for one
	family   [16]byte
	key      [32]byte
	stored   [32]byte // verifier
	device   [16]byte
	revoked  bool // by a replayed secret
	byToken  int  // sign-ins
	sessions [][32]byte
}

// verdict is what a test wants to happen at a step.
type verdict uint8

const (
	proceed verdict = iota
	hangUp
	stall     // say nothing any more, and keep the connection
	flipNext  // change a byte of the next frame that is sent
	halveNext // send half of the next frame and hang up
)

var verifierOnce = sync.OnceValue(func() srp6a.Verifier {
	salt := [32]byte{1, 2, 3}
	return srp6a.NewVerifier(srp6a.Params{Group: srp6a.Group2048, KDF: srp6a.MinKDF()}, &salt, account, password)
})

func newFake() *fake {
	return &fake{
		verifier: verifierOnce(), remembers: true, asked: map[int]bool{},
		at:    faultless,
		after: func(p *peer) { p.pongs() },
		worlds: []native.World{
			{ID: 1, Name: "Ash", Address: "gate:1", Status: native.StatusOnline, Kind: native.WorldPvP, PopulationPercent: 40},
			{ID: 2, Name: "Birch", Address: "gate:2", Status: native.StatusOffline},
		},
	}
}

// DialContext makes the fake a client.Dialer: "login" is the login server at its usual port, "gate:…" a
// gate.
func (f *fake) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ours, theirs := net.Pipe()
	f.mu.Lock()
	defer f.mu.Unlock()
	if address == "login:3725" {
		f.dials++
		f.dialled = append(f.dialled, time.Now())
		if f.down {
			return nil, errors.New("nobody listens")
		}
		go f.serve(&peer{wire: newWire(ours), fake: f, number: f.dials, session: native.New(native.Options{}).Open()})
		return theirs, nil
	}
	go f.serveGate(ours, address)
	return theirs, nil
}

func (f *fake) setDown(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
}

func (f *fake) setAt(at func(*peer, step) verdict) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at = at
}

// faultless is what a server without a fault does at every step.
func faultless(*peer, step) verdict { return proceed }

func (f *fake) times() []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]time.Time(nil), f.dialled...)
}

// wire is one end of a connection that always reads, so that the other never waits.
type wire struct {
	net.Conn
	raw  chan []byte
	rest []byte
	next verdict // for the next frame
}

func newWire(c net.Conn) *wire {
	w := &wire{Conn: c, raw: make(chan []byte, 4096)}
	go func() {
		defer close(w.raw)
		for {
			b := make([]byte, 1<<10)
			n, err := c.Read(b)
			if n > 0 {
				w.raw <- b[:n]
			}
			if err != nil {
				return
			}
		}
	}()
	return w
}

// hear decodes the next message; ok is false when the client has hung up.
func (w *wire) hear(decode func([]byte, *codec.Message) (int, error)) (m codec.Message, ok bool) {
	for {
		n, err := decode(w.rest, &m)
		if err == nil {
			w.rest = w.rest[n:]
			return m, true
		}
		if !errors.Is(err, codec.ErrShort) {
			panic(err)
		}
		more, open := <-w.raw
		if !open {
			return m, false
		}
		w.rest = append(w.rest, more...)
	}
}

func (w *wire) tell(frame []byte, err error) {
	if err != nil {
		panic(err)
	}
	switch w.next {
	case flipNext:
		frame[len(frame)-1] ^= 1
	case halveNext:
		frame = frame[:len(frame)/2]
		defer w.Close()
	}
	w.next = proceed
	_, _ = w.Write(frame) // the client may have gone
}

// until waits for the client to hang up.
func (w *wire) until() {
	for range w.raw {
	}
}

// peer is the fake's end of one login connection.
type peer struct {
	*wire
	fake    *fake
	number  int // of the connection
	session *native.Session
	version uint64
	tokened bool // signed in by token
}

func (p *peer) say(r *codec.Reply) { p.tell(p.session.Append(nil, r)) }

func (p *peer) hear() (codec.Message, bool) { return p.wire.hear(p.session.Decode) }

// step does what the test wants; false ends the conversation.
func (p *peer) step(s step) bool {
	p.fake.mu.Lock()
	at := p.fake.at
	p.fake.mu.Unlock()
	v := at(p, s)
	switch v {
	case hangUp:
		return false
	case stall:
		p.until()
		return false
	}
	p.next = v
	return true
}

func (f *fake) serve(p *peer) {
	defer p.until()
	defer p.Close()
	if !p.step(stepConnected) {
		return
	}
	m, ok := p.hear()
	if !ok || !p.step(stepHeardHello) {
		return
	}
	if f.hello != nil {
		f.hello(&m)
	}
	signedIn := p.byPassword
	if m.Native.ByToken {
		signedIn, p.tokened = p.byToken, true
	}
	if !signedIn(&m) || !p.step(stepAccepted) || !p.wantFactor() {
		return
	}
	p.say(&codec.Reply{Kind: codec.ReplyWelcome, Native: &codec.NativeReply{
		PingEvery: uint32(ping.Milliseconds()), Remembers: f.remembers && !p.tokened,
	}})
	if !p.step(stepWelcomed) {
		return
	}
	p.list()
	if p.step(stepListed) {
		f.after(p)
	}
}

// list tells the whole list.
func (p *peer) list() {
	p.version++
	p.tell(p.session.AppendFrame(nil, native.AppendWorldSnapshot(nil, p.version, false, p.fake.worlds)))
}

// delta changes worlds of the list.
func (p *peer) delta(from, to uint64, changed ...native.World) {
	d := native.WorldDelta{From: from, To: to, Changed: changed}
	p.tell(p.session.AppendFrame(nil, native.AppendWorldDelta(nil, &d)))
}

func (p *peer) refuse(r codec.Result, retry time.Duration) {
	p.say(&codec.Reply{Kind: codec.ReplyRefused, Result: r, Number: uint64(retry.Milliseconds())})
}

func (p *peer) byPassword(hello *codec.Message) bool {
	x := srp6a.Server{Name: string(hello.Hello.Name.Bytes()), Verifier: p.fake.verifier}
	var secret [32]byte
	_, _ = rand.Read(secret[:])
	x.Challenge(&secret)
	v := &x.Verifier
	r := &codec.NativeReply{
		Group: uint16(v.Group), Salt: v.Salt, Memory: v.KDF.MemoryKiB, Passes: v.KDF.Passes, Lanes: v.KDF.Lanes, PublicKey: x.B,
	}
	_, _ = rand.Read(r.Nonce[:])
	p.say(&codec.Reply{Kind: codec.ReplyPasswordChallenge, Native: r})
	if !p.step(stepChallenged) {
		return false
	}
	m, ok := p.hear()
	if !ok || !p.step(stepHeardProof) {
		return false
	}
	shared, m2, err := x.Verify(m.Native.PublicKey, &m.Native.Proof)
	if err != nil {
		p.refuse(codec.ResultBadCredentials, 0)
		return false
	}
	keys := keyschedule.Password(shared, &keyschedule.Nonces{Client: hello.Native.Nonce, Server: r.Nonce}, &m.Native.Transcript)
	return p.step(stepProven) && p.accept(hello, m2, &keys)
}

func (p *peer) byToken(hello *codec.Message) bool {
	f := p.fake
	r := &codec.NativeReply{}
	_, _ = rand.Read(r.Nonce[:])
	p.say(&codec.Reply{Kind: codec.ReplyTokenChallenge, Native: r})
	if !p.step(stepChallenged) {
		return false
	}
	m, ok := p.hear()
	if !ok || !p.step(stepHeardProof) {
		return false
	}
	x := devicetoken.Exchange{Nonces: keyschedule.Nonces{Client: hello.Native.Nonce, Server: r.Nonce}, Transcript: m.Native.Transcript}
	proof, known := f.redeem(hello, &x, &m.Native.Sealed)
	if !known {
		p.refuse(codec.ResultBadCredentials, 0)
		return false
	}
	plain := proof.Bytes()
	keys := keyschedule.Token(&f.key, &plain, &x.Nonces, &m.Native.After)
	return p.step(stepProven) && p.accept(hello, keys.Proof, &keys)
}

// redeem does with a token what a login server does.
func (f *fake) redeem(hello *codec.Message, x *devicetoken.Exchange, sealed *[devicetoken.SealedSize]byte) (devicetoken.Proof, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.family == [16]byte{} || hello.Native.Family != f.family || hello.Native.Device != f.device {
		return devicetoken.Proof{}, false
	}
	proof, err := devicetoken.Open(&f.key, x, sealed)
	if err != nil {
		return devicetoken.Proof{}, false
	}
	if !proof.Opens(&f.stored) {
		f.family, f.revoked = [16]byte{}, true
		return devicetoken.Proof{}, false
	}
	f.stored = proof.Next
	f.byToken++
	return proof, true
}

func (p *peer) accept(hello *codec.Message, proof [32]byte, keys *keyschedule.Keys) bool {
	p.fake.mu.Lock()
	p.fake.sessions = append(p.fake.sessions, keys.Session)
	p.fake.device = hello.Native.Device
	p.fake.mu.Unlock()
	p.say(&codec.Reply{Kind: codec.ReplyAccepted, Native: &codec.NativeReply{
		Proof: proof, Keys: codec.ChannelKeys{ToServer: keys.ToServer, ToClient: keys.ToClient},
	}})
	if p.fake.update != nil {
		p.fake.update(p, keys)
		return false
	}
	return true
}

func (p *peer) wantFactor() bool {
	if p.fake.factor == 0 {
		return true
	}
	p.say(&codec.Reply{Kind: codec.ReplyFactorWanted, Factors: p.fake.factor})
	m, ok := p.hear()
	if ok && m.Native.Text != p.fake.code {
		p.refuse(codec.ResultBadCredentials, 0)
		return false
	}
	return ok
}

// remember answers RememberDevice.
func (p *peer) remember(m *codec.Message) {
	f := p.fake
	f.mu.Lock()
	if f.asked[p.number] || p.tokened {
		panic("a connection asks twice to be remembered, or with a token")
	}
	f.asked[p.number] = true
	_, _ = rand.Read(f.family[:])
	_, _ = rand.Read(f.key[:])
	f.stored = m.Native.Proof
	r := &codec.NativeReply{Family: f.family, Key: f.key, Expires: 1 << 40}
	f.mu.Unlock()
	p.say(&codec.Reply{Kind: codec.ReplyRemembered, Native: r})
}

// handle answers what does not matter to a test; it tells whether it has.
func (p *peer) handle(m *codec.Message) bool {
	switch m.Kind {
	case codec.KindPing:
		p.say(&codec.Reply{Kind: codec.ReplyPong, Number: m.Number})
	case codec.KindRememberDevice:
		p.remember(m)
	case codec.KindForgetDevice:
		p.fake.mu.Lock()
		p.fake.family = [16]byte{}
		p.fake.mu.Unlock()
	default:
		return false
	}
	return true
}

// wanted waits for the next message that handle does not answer.
func (p *peer) wanted() (codec.Message, bool) {
	for {
		m, ok := p.hear()
		if !ok || !p.handle(&m) {
			return m, ok
		}
	}
}

// pongs answers pings, and the rest that handle does, until the client hangs up.
func (p *peer) pongs() {
	for {
		if m, ok := p.wanted(); !ok {
			return
		} else if m.Kind == codec.KindReleaseWorld {
			p.say(&codec.Reply{Kind: codec.ReplyWorldReleased})
		} else if m.Kind == codec.KindSelectWorld {
			p.issue(uint8(m.Number))
		}
	}
}

// issue gives a pass, whose id is the world's number.
func (p *peer) issue(world uint8) {
	p.say(&codec.Reply{Kind: codec.ReplyPassIssued, Number: uint64(world), Native: &codec.NativeReply{
		Pass: [16]byte{world}, Address: "gate:" + string('0'+rune(world)), Validity: 60_000,
	}})
}

// gatePeer is the fake's end of a connection to a gate.
type gatePeer struct {
	*wire
	fake    *fake
	world   uint8
	session *native.GateSession
}

func (g *gatePeer) say(r *codec.Reply) { g.tell(g.session.Append(nil, r)) }

func (g *gatePeer) hear() (codec.Message, bool) { return g.wire.hear(g.session.Decode) }

func (f *fake) serveGate(c net.Conn, address string) {
	world := address[len(address)-1] - '0'
	g := &gatePeer{wire: newWire(c), fake: f, world: world, session: native.NewGate(world).Open()}
	defer g.until()
	defer g.Close()
	f.gate(g)
}

// greet goes up to the client's hello and checks it.
func (g *gatePeer) greet() (key [32]byte, k keyschedule.Knock, said [32]byte, ok bool) {
	k = keyschedule.Knock{World: g.world}
	_, _ = rand.Read(k.Nonces.Server[:])
	g.say(&codec.Reply{Kind: codec.ReplyGateChallenge, Number: uint64(g.world), Native: &codec.NativeReply{Nonce: k.Nonces.Server}})
	m, ok := g.hear()
	if !ok {
		return key, k, said, false
	}
	k.Pass, k.Nonces.Client = m.Native.Pass, m.Native.Nonce
	g.fake.mu.Lock()
	session := g.fake.sessions[len(g.fake.sessions)-1]
	g.fake.mu.Unlock()
	key = keyschedule.PassKey(&session, g.world, &k.Pass)
	proof := k.ClientProof(&key)
	return key, k, m.Native.Transcript, bytes.Equal(proof[:], m.Native.Proof[:])
}

// accept greets and takes the client; it may wait in a queue or be let in then.
func (g *gatePeer) accept() bool {
	key, k, said, ok := g.greet()
	if !ok {
		g.say(&codec.Reply{Kind: codec.ReplyRefused, Result: codec.ResultBadPass})
		return false
	}
	r := &codec.NativeReply{Proof: k.GateProof(&key)}
	r.Keys.ToServer, r.Keys.ToClient = k.Channel(&key, &said)
	g.say(&codec.Reply{Kind: codec.ReplyGateAccepted, Native: r})
	return true
}

func (g *gatePeer) enter() { g.say(&codec.Reply{Kind: codec.ReplyEntered, Number: uint64(g.world)}) }

// echo answers pings and packets until the client hangs up.
func (g *gatePeer) echo() {
	for {
		m, ok := g.hear()
		switch {
		case !ok:
			return
		case m.Kind == codec.KindPing:
			g.say(&codec.Reply{Kind: codec.ReplyPong, Number: m.Number})
		case m.Kind == codec.KindGamePacket:
			g.say(&codec.Reply{Kind: codec.ReplyGamePacket, Native: &codec.NativeReply{Opcode: m.Native.Opcode, Body: m.Native.Body}})
		}
	}
}

// options are those of a client of the fake.
func (f *fake) options() client.Options { return client.Options{Build: 7, Dialer: f} }

func credentials() client.Credentials {
	return client.Credentials{Account: "Ana", Password: password}
}

// login dials and signs in with what there is.
func (f *fake) login(t testing.TB, o client.Options, who client.Credentials) (*client.Session, error) {
	return f.loginWithin(t, t.Context(), o, who)
}

func (f *fake) loginWithin(t testing.TB, ctx context.Context, o client.Options, who client.Credentials) (*client.Session, error) {
	c, err := client.Dial(ctx, "login", o)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	s, err := c.Login(ctx, who)
	if err == nil {
		t.Cleanup(func() { s.Close() }) // also when the test did not want to get here
	}
	return s, err
}

func (f *fake) mustLogin(t testing.TB, o client.Options) *client.Session {
	t.Helper()
	s, err := f.login(t, o, credentials())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// event waits for the next event of a kind, over those of others.
func event[E client.Event](t testing.TB, s *client.Session) (e E) {
	t.Helper()
	late := time.After(24 * time.Hour)
	for {
		select {
		case ev, open := <-s.Events():
			if !open {
				t.Fatalf("the session ended before %T: %v", e, s.Err())
			}
			if e, ok := ev.(E); ok {
				return e
			}
		case <-late:
			t.Fatalf("never came: %T", e)
		}
	}
}

// ended waits for the session's end, for a day.
func ended(t testing.TB, s *client.Session) {
	t.Helper()
	select {
	case <-s.Done():
	case <-time.After(24 * time.Hour):
		t.Fatal("it does not end")
	}
}

func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
}
