//go:build linux

package load

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"gatepass/auth/devicetoken"
	"gatepass/auth/keyschedule"
	"gatepass/auth/srp6a"
	"gatepass/codec"
	"gatepass/codec/native"
)

// nativeServer is a login server for tests: a goroutine a connection, and as little as
// the clients can do with.
type nativeServer struct {
	codec    *native.Codec
	verifier srp6a.Verifier

	mu     sync.Mutex
	tokens map[[16]byte]serverToken
	logins [2]int // by password, by token
	// wrong makes it prove nothing; mute keeps its answers to tokens from their clients,
	// that many times.
	wrong bool
	mute  int
	// update is what its clients are too old for; nil: nothing.
	update *nativeUpdate
	conns  sync.WaitGroup
}

type serverToken struct{ key, verifier [32]byte }

// mustNative serves players until the test ends.
func mustNative(t testing.TB, p *Players, change func(*nativeServer)) (*nativeServer, Target) {
	t.Helper()
	s := &nativeServer{codec: native.New(native.Options{}), verifier: p.known.Verifier(), tokens: map[[16]byte]serverToken{}}
	if change != nil {
		change(s)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.conns.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		accepting.Wait()
		s.conns.Wait()
	})
	return s, Target{Addr: l.Addr().(*net.TCPAddr).AddrPort(), PIDs: self()}
}

// nativeConn is one of its connections.
type nativeConn struct {
	*nativeServer
	net.Conn
	session *native.Session
	hello   codec.Message
	nonces  keyschedule.Nonces
	srp     srp6a.Server
	sending sending
}

func (s *nativeServer) serve(conn net.Conn) {
	defer conn.Close()
	c := &nativeConn{nativeServer: s, Conn: conn, session: s.codec.Open()}
	var got []byte
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		got = append(got, buf[:n]...)
		for {
			var m codec.Message
			n, err := c.session.Decode(got, &m)
			if errors.Is(err, codec.ErrShort) {
				break
			}
			if err != nil || !c.take(&m) {
				return
			}
			got = got[n:]
		}
	}
}

func (c *nativeConn) say(r codec.Reply) bool {
	b, err := c.session.Append(nil, &r)
	if err != nil {
		panic(err)
	}
	_, err = c.Write(b)
	return err == nil
}

func (c *nativeConn) refuse() bool {
	c.say(codec.Reply{Kind: codec.ReplyRefused, Result: codec.ResultBadCredentials})
	return false
}

func (c *nativeConn) take(m *codec.Message) bool {
	switch m.Kind {
	case codec.KindSignIn:
		return c.signIn(m)
	case codec.KindPasswordProof:
		return c.passwordProof(m)
	case codec.KindTokenProof:
		return c.tokenProof(m)
	case codec.KindRememberDevice:
		var family [16]byte
		var key [32]byte
		_, _ = rand.Read(family[:])
		_, _ = rand.Read(key[:])
		c.keep(family, serverToken{key, m.Native.Proof})
		return c.say(codec.Reply{Kind: codec.ReplyRemembered, Native: &codec.NativeReply{Family: family, Key: key, Expires: 1}})
	case codec.KindTransferResume, codec.KindTransferAck:
		return c.update != nil && c.transfer(m)
	case codec.KindPing:
		return c.say(codec.Reply{Kind: codec.ReplyPong, Number: m.Number})
	}
	return false
}

func (c *nativeConn) keep(family [16]byte, t serverToken) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tokens[family] = t
}

func (c *nativeConn) token() (serverToken, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, ok := c.tokens[c.hello.Native.Family]
	return t, ok
}

func (c *nativeConn) signIn(m *codec.Message) bool {
	c.hello = *m
	c.nonces.Client = m.Native.Nonce
	_, _ = rand.Read(c.nonces.Server[:])
	if m.Native.ByToken {
		return c.say(codec.Reply{Kind: codec.ReplyTokenChallenge, Native: &codec.NativeReply{Nonce: c.nonces.Server}})
	}
	var secret [32]byte
	_, _ = rand.Read(secret[:])
	c.srp = srp6a.Server{Name: m.Hello.Name.String(), Verifier: c.verifier}
	c.srp.Challenge(&secret)
	v := &c.verifier
	return c.say(codec.Reply{Kind: codec.ReplyPasswordChallenge, Native: &codec.NativeReply{
		Nonce: c.nonces.Server, Group: uint16(v.Group), Salt: v.Salt,
		Memory: v.KDF.MemoryKiB, Passes: v.KDF.Passes, Lanes: v.KDF.Lanes, PublicKey: c.srp.B,
	}})
}

func (c *nativeConn) passwordProof(m *codec.Message) bool {
	secret, m2, err := c.srp.Verify(m.Native.PublicKey, &m.Native.Proof)
	if err != nil || strings.HasPrefix(c.srp.Name, "NOBODY") {
		return c.refuse()
	}
	keys := keyschedule.Password(secret, &c.nonces, &m.Native.Transcript)
	return c.welcome(0, m2, &keys)
}

func (c *nativeConn) tokenProof(m *codec.Message) bool {
	token, ok := c.token()
	if !ok {
		return c.refuse()
	}
	p, err := devicetoken.Open(&token.key, &devicetoken.Exchange{Nonces: c.nonces, Transcript: m.Native.Transcript}, &m.Native.Sealed)
	if err != nil || !p.Opens(&token.verifier) {
		return c.refuse()
	}
	c.keep(c.hello.Native.Family, serverToken{token.key, p.Next})
	plain := p.Bytes()
	keys := keyschedule.Token(&token.key, &plain, &c.nonces, &m.Native.After)
	c.mu.Lock()
	mute := c.mute > 0
	c.mute--
	c.mu.Unlock()
	return !mute && c.welcome(1, keys.Proof, &keys)
}

func (c *nativeConn) welcome(how int, proof [32]byte, k *keyschedule.Keys) bool {
	if c.wrong {
		proof[0]++
	}
	c.mu.Lock()
	c.logins[how]++
	c.mu.Unlock()
	c.say(codec.Reply{Kind: codec.ReplyAccepted, Native: &codec.NativeReply{
		Proof: proof, Keys: codec.ChannelKeys{ToServer: k.ToServer, ToClient: k.ToClient},
	}})
	if c.update != nil {
		return c.offer()
	}
	c.say(codec.Reply{Kind: codec.ReplyWelcome, Native: &codec.NativeReply{PingEvery: 30_000, Remembers: true}})
	list, err := c.session.AppendFrame(nil, native.AppendWorldSnapshot(nil, 1, false, nil))
	if err != nil {
		panic(err)
	}
	_, err = c.Write(list)
	return err == nil
}

func nativeLogins(n int, byToken bool) LoginOptions {
	accounts := MakeAccounts(n)
	return LoginOptions{Clients: Clients{Accounts: accounts, Native: NewPlayers(accounts, byToken)}}
}

func TestRunLogin_Native_ByPassword(t *testing.T) {
	o := nativeLogins(20, false)
	o.Count, o.Concurrency, o.WrongPercent, o.UnknownPercent, o.Threads = 60, 8, 20, 20, 1
	server, target := mustNative(t, o.Native, nil)
	run := mustLogin(t, target, o)
	if run.tally.failed() != 0 || run.tally.logins() != 60 {
		t.Fatalf("%d logins, failed: %v", run.tally.logins(), run.tally.faultCounts())
	}
	for plan, n := range run.tally.done {
		if n == 0 {
			t.Errorf("no login of the plan %v", Plan(plan))
		}
	}
	if n := server.logins[0]; n < int(run.tally.done[PlanRight]) { // some come before what counts
		t.Errorf("the server let %d in, the client counted %d", n, run.tally.done[PlanRight])
	}
}

// Each player is given a token once, and then signs in by it, again and again.
func TestRunLogin_Native_ByToken(t *testing.T) {
	o := nativeLogins(10, true)
	o.Count, o.Concurrency = 55, 32 // more at once than there are players
	server, target := mustNative(t, o.Native, nil)
	for i := range 2 {
		run := mustLogin(t, target, o)
		if run.tally.failed() != 0 || run.tally.done[PlanRight] != 55 {
			t.Fatalf("round %d: %d logins, failed: %v", i, run.tally.logins(), run.tally.faultCounts())
		}
	}
	if server.logins[0] != 10 || server.logins[1] < 110 { // some come before what counts
		t.Errorf("%v logins by password and by token, want 10 and 110 or more", server.logins)
	}
}

// A client that did not hear the answer shows both secrets the next time.
func TestRunLogin_Native_TokenWhoseAnswerWasLost(t *testing.T) {
	o := nativeLogins(4, true)
	o.Count, o.Concurrency = 40, 2
	_, target := mustNative(t, o.Native, func(s *nativeServer) { s.mute = 3 })
	run := mustLogin(t, target, o)
	// Some are cut off before what counts.
	if cut := run.tally.faults[FaultClosed]; cut > 3 || run.tally.failed() != cut || run.tally.logins() != 40-cut {
		t.Fatalf("%d logins, failed: %v, want none but up to 3 that were cut off", run.tally.logins(), run.tally.faultCounts())
	}
}

func TestRunLogin_Native_ServerThatProvesNothing(t *testing.T) {
	o := nativeLogins(4, false)
	o.Count = 5
	_, target := mustNative(t, o.Native, func(s *nativeServer) { s.wrong = true })
	if run := mustLogin(t, target, o); run.tally.faults[FaultProof] != 5 {
		t.Fatalf("failed: %v, want 5 for the proof", run.tally.faultCounts())
	}
}

func TestRunHold_Native_AsksForSignsOfLife(t *testing.T) {
	o := HoldOptions{Connections: 30, Rate: 1e6, Warmup: 10, Settle: time.Millisecond, Hold: 100 * time.Millisecond, ListEvery: 20 * time.Millisecond}
	o.Accounts = MakeAccounts(30)
	o.Native = NewPlayers(o.Accounts, false)
	_, target := mustNative(t, o.Native, nil)
	run, err := RunHold(context.Background(), target, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if run.Held != 30 || run.Dropped != 0 || run.Lists < 30 || run.tally.failed() != 0 {
		t.Errorf("%d held, %d dropped, %d answers, failed: %v", run.Held, run.Dropped, run.Lists, run.tally.faultCounts())
	}
}

func TestRounds_Native_SetsBigNumbersBeside(t *testing.T) {
	o := nativeLogins(8, false)
	o.Count, o.Concurrency = 20, 4
	_, target := mustNative(t, o.Native, nil)
	report, err := (&Rounds{Server: target, Login: o, Times: 1}).Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if report.Protocol != "native" || report.Bare < 100 || report.TimesBare < 1 {
		t.Errorf("%q, big numbers %v µs, %v times", report.Protocol, report.Bare, report.TimesBare)
	}
}

func TestPlayers_WriteNDJSON(t *testing.T) {
	var b bytes.Buffer
	if err := NewPlayers(MakeAccounts(3), false).WriteNDJSON(&b); err != nil {
		t.Fatal(err)
	}
	lines := json.NewDecoder(&b)
	for i := range 3 {
		var line struct {
			Username string
			Others   struct{ Native string }
		}
		if err := lines.Decode(&line); err != nil {
			t.Fatal(err)
		}
		raw, err := hex.DecodeString(line.Others.Native)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := srp6a.ParseVerifier(raw); err != nil || line.Username != MakeAccounts(3)[i].Name {
			t.Errorf("line %d: %q, %v", i, line.Username, err)
		}
	}
}

func TestLoginOptions_Native_Faults(t *testing.T) {
	o := nativeLogins(3, true)
	o.Accounts, o.WrongPercent = o.Accounts[:2], 5
	o.EnsureDefaults()
	err := o.Validate()
	for _, want := range []string{"not those of the accounts", "neither wrong nor unknown"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}
