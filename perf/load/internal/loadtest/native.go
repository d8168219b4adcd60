//go:build linux

package loadtest

import (
	"crypto/rand"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"gatepass/auth/devicetoken"
	"gatepass/auth/keyschedule"
	"gatepass/auth/srp6a"
	"gatepass/codec"
	"gatepass/codec/native"
	"gatepass/perf/load/players"
)

// NativeServer is a minimal login server for tests, with a goroutine for each connection.
type NativeServer struct {
	codec    *native.Codec
	verifier srp6a.Verifier

	mu     sync.Mutex
	tokens map[[16]byte]serverToken
	Logins [2]int // by password, by token
	// Wrong makes its proofs wrong. mute is how many answers to token proofs it does not
	// send.
	Wrong bool
	Mute  int
	// update is offered to clients; nil: they are up to date.
	update *Update
	conns  sync.WaitGroup
}

type serverToken struct{ key, verifier [32]byte }

// ServeNative runs a server for players until the test ends. change may change it before.
func ServeNative(t testing.TB, p *players.Native, change func(*NativeServer)) (*NativeServer, netip.AddrPort) {
	t.Helper()
	s := &NativeServer{codec: native.New(native.Options{}), verifier: p.Known.Verifier(), tokens: map[[16]byte]serverToken{}}
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
	return s, l.Addr().(*net.TCPAddr).AddrPort()
}

// nativeConn is one connection of the server.
type nativeConn struct {
	*NativeServer
	net.Conn
	session *native.Session
	hello   codec.Message
	nonces  keyschedule.Nonces
	srp     srp6a.Server
	sending sending
}

func (s *NativeServer) serve(conn net.Conn) {
	defer conn.Close()
	c := &nativeConn{NativeServer: s, Conn: conn, session: s.codec.Open()}
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
	mute := c.Mute > 0
	c.Mute--
	c.mu.Unlock()
	return !mute && c.welcome(1, keys.Proof, &keys)
}

func (c *nativeConn) welcome(how int, proof [32]byte, k *keyschedule.Keys) bool {
	if c.Wrong {
		proof[0]++
	}
	c.mu.Lock()
	c.Logins[how]++
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
