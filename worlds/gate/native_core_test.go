package gate

import (
	"runtime"
	"testing"

	"gatepass/auth/keyschedule"
	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/codec/world"
	"gatepass/worlds"
)

// arrive runs a native client's whole admission: pass, connection, proof.
func (b *bare) arrive(login *worlds.Passes[struct{}], n int, name codec.Name) codec.Conn {
	conn, key, c := codec.NewConn(0, n, 1), [32]byte{1}, b.core
	pass := worlds.PassID{byte(b.passes), byte(b.passes >> 8), byte(b.passes >> 16), 1}
	b.passes++
	secret := worlds.NewSecret(key[:])
	if err := login.Offer(pass, name, worlds.Stamp(b.passes), c.self, &secret); err != nil {
		panic(err)
	}
	b.exchange(login)
	c.client(&codec.Message{Kind: codec.KindOpened, Conn: conn, Protocol: codec.ProtocolNative})
	k := keyschedule.Knock{World: 7, Pass: pass, Nonces: keyschedule.Nonces{Server: b.nonce}}
	c.client(&codec.Message{Kind: codec.KindGateHello, Conn: conn, Native: &codec.NativeMessage{Pass: pass, Proof: k.ClientProof(&key)}})
	b.exchange(login)
	login.Outcomes()
	return conn
}

// exchange delivers all messages between the core and a login server.
func (b *bare) exchange(login *worlds.Passes[struct{}]) {
	for {
		b.core.flush()
		for i := range b.moves {
			login.Handle(b.core.self, &b.moves[i].Move)
		}
		b.moves = b.moves[:0]
		out := login.Outgoing()
		for i := range out {
			b.core.deliver(&worlds.Event{From: "login.a", Move: &out[i].Move})
		}
		if len(out) == 0 {
			return
		}
	}
}

// The key of a pass never matches a proof of the existing clients' protocols, however
// it is padded to their size.
func TestKeyOfPassProvesNothingElse(t *testing.T) {
	b := newBare(t, bareOptions(1))
	alice := accountNumber(1)
	b.arrive(newHolder(), 1, alice)
	h := b.core.passes.Find(alice)
	if h == nil || len(h.Key().Bytes()) != passKeySize {
		t.Fatal("the key is not here")
	}
	for _, tail := range []byte{0, 1} {
		key := srp6.SessionKey{1}
		for i := passKeySize; i < len(key); i++ {
			key[i] = tail
		}
		s := &session{attempt: new(attempt), account: alice}
		p := &s.attempt.proof
		p.Digest = world.Digest(alice.Bytes(), p.ClientSeed, p.ServerSeed, (*[40]byte)(&key))
		if b.core.proves(s, h) {
			t.Errorf("it let an existing client in, filled up with %d", tail)
		}
		var back worlds.Proof
		back.Digest = srp6.ReconnectProof(alice.Bytes(), &back.Client, &back.Challenge, &key)
		if verifyReturn(h, &back) {
			t.Errorf("a login server was given it, filled up with %d", tail)
		}
	}
}

// A native client gets the reason of every refusal and of every disconnection, except
// if it left itself or cannot get a message.
func TestNativeClientsAreToldWhy(t *testing.T) {
	never := map[Refusal]bool{ // for clients that come with the account's key
		RefusalName: true, RefusalForeign: true, RefusalExpired: true, RefusalBusy: true,
		RefusalNoAnswer: true, RefusalNoHolder: true, RefusalClaims: true,
		RefusalSilent: true, // gets no answer
	}
	for r := range RefusalCount {
		if (refusalResults[r] == codec.ResultOK) != never[r] {
			t.Errorf("%v is told as %v", r, refusalResults[r])
		}
		if veiled[r] && !never[r] && refusalResults[r] != codec.ResultBadPass {
			t.Errorf("%v is told late, and not as a bad pass", r)
		}
	}
	for why := range LeftReasonCount {
		silent := why == LeftDisconnected || why == LeftOverload
		if (leftResults[why] == codec.ResultOK) != silent {
			t.Errorf("%v is told as %v", why, leftResults[why])
		}
	}
}

// The gate passes a native player's packet to the game without an allocation.
func TestCore_GamePacketAllocatesNothing(t *testing.T) {
	b := newBare(t, bareOptions(1))
	m := codec.Message{Kind: codec.KindGamePacket, Conn: b.arrive(newHolder(), 1, accountNumber(1))}
	m.Native = &codec.NativeMessage{Opcode: 0x95}
	if n := testing.AllocsPerRun(100, func() { b.core.client(&m) }); n != 0 {
		t.Errorf("%v allocations a packet, want 0", n)
	}
}

func BenchmarkCore_NativeAdmission(b *testing.B) {
	b.ReportAllocs()
	bare, login := newBare(b, bareOptions(1000)), newHolder()
	now := int64(1000)
	for i := 0; b.Loop(); i++ {
		conn := bare.arrive(login, i%1000, accountNumber(i%100_000))
		if bare.core.inside != 1 {
			b.Fatal("not let in")
		}
		bare.core.client(&codec.Message{Kind: codec.KindClosed, Conn: conn})
		if i%100 == 0 {
			now += 100
			login.Tick(now)
			bare.core.tick(now)
		}
	}
}

// BenchmarkCore_HeldNativePlayer measures the bytes of a native player in the world,
// without the memory of the sockets and the channel.
func BenchmarkCore_HeldNativePlayer(b *testing.B) {
	const players = 10_000
	for b.Loop() {
		bare, now := newBare(b, bareOptions(players)), int64(1000)
		empty := heap()
		for i := range players {
			login := newHolder() // its memory is released
			login.Tick(now)
			bare.arrive(login, i, accountNumber(i))
			if i%100 == 0 {
				now += 1000
				bare.core.tick(now)
			}
		}
		bare.core.tick(now + 250_000) // the passes are forgotten by now
		b.ReportMetric(float64(heap()-empty)/players, "B/player")
		runtime.KeepAlive(bare)
	}
}
