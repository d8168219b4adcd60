package client_test

import (
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
