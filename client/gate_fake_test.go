package client_test

import (
	"bytes"
	"crypto/rand"
	"net"

	"gatepass/auth/keyschedule"
	"gatepass/codec"
	"gatepass/codec/native"
)

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
