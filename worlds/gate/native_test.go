package gate_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"gatepass/codec/native/gatepasspb"
	"gatepass/codec/world"
	"gatepass/worlds"
	"gatepass/worlds/gate"
)

// echo is a game that returns every packet and panics at opcode 1.
type echo struct{}

func (echo) Entered(gate.Player)               {}
func (echo) Left(gate.Player, gate.LeftReason) {}
func (echo) Packet(p gate.Player, opcode uint32, body []byte) {
	p.Send(uint16(opcode), body)
	if opcode == 1 {
		p.Kick()
	}
}

// nativeOptions returns the options of a gate for clients of both protocols.
func nativeOptions(tb testing.TB, r *region, id uint8) gate.Options {
	o := optionsFor(tb, r, id, 12340)
	o.NativeAddr, o.Handler = "127.0.0.1:0", echo{}
	return o
}

// Clients of both protocols enter one world, wait in one queue and play. Native clients
// come with passes, and their login server learns their progress.
func TestGate_NativeClientsBesideOthers(t *testing.T) {
	r := mustRegion(t)
	g := mustOpen(t, nativeOptions(t, r, 1))

	alice := r.login.mustOffer(t, "ALICE", g.Node())
	first := mustDialNative(t, g.NativeAddr())
	first.mustEnter(t, alice, pingOf(7), packetOf(0x95, "hi")) // all in one write
	first.mustRead(t, entered(1))
	first.mustRead(t, pong(7))
	first.mustRead(t, packet(0x95, "hi"))
	eventually(t, "ALICE is in", func() bool { return r.login.told(alice) == "[0]" })

	r.login.hold("BOB", keyOf(2))
	second := mustDial(t, g.Addr(), 12340)
	second.mustIntroduce(t, "BOB", keyOf(2))
	second.mustAnswer(t, world.CodeWaitQueue)

	carol := r.login.mustOffer(t, "CAROL", g.Node())
	third := mustDialNative(t, g.NativeAddr())
	third.mustEnter(t, carol)
	third.mustRead(t, position(2))
	third.mustSay(t, pingOf(8))
	third.mustRead(t, pong(8))

	first.mustSay(t, packetOf(1, ""))
	first.mustRead(t, &gatepasspb.GateServerFrame{Body: &gatepasspb.GateServerFrame_Packet{Packet: &gatepasspb.GamePacket{Opcode: 1}}})
	first.mustRead(t, kicked(gatepasspb.Result_RESULT_KICKED))
	first.mustBeClosed(t)
	second.mustAnswer(t, world.CodeOK)
	third.mustRead(t, position(1))
	second.close()
	third.mustRead(t, entered(1))
	eventually(t, "CAROL is in", func() bool { return r.login.told(carol) == "[2 1 0]" })
	eventually(t, "ALICE is gone", func() bool { return g.Stats().Native == 1 })
	if st := g.Stats(); st.PassesUsed != 2 || st.Entered != 3 {
		t.Errorf("%d passes, %d entered", st.PassesUsed, st.Entered)
	}
}

// A pass admits one client once, and only the client that has its key.
func TestGate_PassIsGoodOnceAndForWhomItIs(t *testing.T) {
	r := mustRegion(t)
	o := nativeOptions(t, r, 1)
	o.World.Capacity = 10
	o.RefusalDelay = time.Second // much longer than a tick, its unit
	g := mustOpen(t, o)
	alice := r.login.mustOffer(t, "ALICE", g.Node())

	wrong := alice
	wrong.key[0] ^= 1
	thief := mustDialNative(t, g.NativeAddr())
	began := time.Now()
	mustShow(t, thief, wrong)
	thief.mustRead(t, refused(gatepasspb.Result_RESULT_BAD_PASS))
	if took := time.Since(began); took < o.RefusalDelay/2 {
		t.Errorf("refused after %v", took)
	}
	thief.mustBeClosed(t)

	client := mustDialNative(t, g.NativeAddr())
	client.mustEnter(t, alice)
	client.mustRead(t, entered(1))

	replayed := mustDialNative(t, g.NativeAddr())
	if _, err := replayed.conn.Write(client.hello); err != nil {
		t.Fatal(err)
	}
	replayed.mustRead(t, refused(gatepasspb.Result_RESULT_BAD_PASS))
	again := mustDialNative(t, g.NativeAddr())
	mustShow(t, again, alice)
	again.mustRead(t, refused(gatepasspb.Result_RESULT_BAD_PASS))
	if st := g.Stats(); st.Refused[gate.RefusalProof] != 1 || st.Refused[gate.RefusalPassUsed] != 2 {
		t.Errorf("refused %v", st.Refused)
	}
}

func mustShow(t *testing.T, c *nativeClient, p pass) {
	t.Helper()
	if err := c.show(p.id, p.key); err != nil {
		t.Fatal(err)
	}
}

// A later login of the account ends the stay, through the directory.
func TestGate_SecondLoginEndsNativePlayer(t *testing.T) {
	r := mustRegion(t)
	g := mustOpen(t, nativeOptions(t, r, 1))
	other := mustOpen(t, nativeOptions(t, r, 2))
	alice := r.login.mustOffer(t, "ALICE", g.Node())
	first := mustDialNative(t, g.NativeAddr())
	first.mustEnter(t, alice)
	first.mustRead(t, entered(1))

	alice = r.login.mustOffer(t, "ALICE", other.Node())
	first.mustRead(t, kicked(gatepasspb.Result_RESULT_REPLACED))
	first.mustBeClosed(t)
	second := mustDialNative(t, other.NativeAddr())
	second.mustEnter(t, alice)
	second.mustRead(t, entered(2))
	eventually(t, "the key is gone", func() bool { return g.Stats().Keys == 0 && other.Stats().Keys == 1 })
}

// A sealed frame that is changed, cut or repeated ends the connection and is counted.
func TestGate_BrokenSeal(t *testing.T) {
	r := mustRegion(t)
	g := mustOpen(t, nativeOptions(t, r, 1))
	for i, spoil := range []func([]byte) []byte{
		func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		func(b []byte) []byte { b[4] ^= 1; return b },
		func(b []byte) []byte { b[0]++; return append(b, 0) },
		func(b []byte) []byte { return append(b, b...) },
	} {
		p := r.login.mustOffer(t, "ALICE", g.Node())
		c := mustDialNative(t, g.NativeAddr())
		c.mustEnter(t, p)
		c.mustRead(t, entered(1))
		if _, err := c.conn.Write(spoil(c.out.Seal(nil, []byte{0x12, 2, 8, 1}))); err != nil {
			t.Fatal(err)
		}
		c.mustBeClosed(t)
		eventually(t, "counted", func() bool { return g.Stats().Broken == uint64(i+1) })
	}
}

// Messages of strangers to the native port do no harm.
func TestGate_HostileNativeInput(t *testing.T) {
	r := mustRegion(t)
	g := mustOpen(t, nativeOptions(t, r, 1))
	for name, bytes := range map[string]string{
		"garbage":          "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n",
		"nothing":          "\x00\x00\x00\x00",
		"a huge frame":     "\xff\xff\xff\xff",
		"no message":       "\x03\x00\x00\x00abc",
		"another message":  "\x04\x00\x00\x00\x12\x02\x08\x01",
		"a short hello":    "\x02\x00\x00\x00\x0a\x00",
		"a part, and gone": "\x90\x00\x00\x00\x0a",
	} {
		c := mustDialNative(t, g.NativeAddr())
		if _, err := c.conn.Write([]byte(bytes)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		c.mustBeClosed(t) // the last because of HandshakeLimit
	}
	eventually(t, "everybody gone", func() bool { return g.Stats().Native == 0 })
	if st := g.Stats(); st.Broken != 0 || st.Panics+uint64(st.Server.Panics) != 0 {
		t.Errorf("%d broken, %d panics", st.Broken, st.Panics+uint64(st.Server.Panics))
	}
}

func TestGate_DrainAndCloseTellNativeClients(t *testing.T) {
	r := mustRegion(t)
	g := mustOpen(t, nativeOptions(t, r, 1))
	clients := map[string]*nativeClient{}
	for _, account := range []string{"ALICE", "BOB"} {
		c := mustDialNative(t, g.NativeAddr())
		c.mustEnter(t, r.login.mustOffer(t, account, g.Node()))
		clients[account] = c
	}
	clients["ALICE"].mustRead(t, entered(1))
	clients["BOB"].mustRead(t, position(1))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = g.Drain(ctx) // ALICE is inside
	clients["BOB"].mustRead(t, refused(gatepasspb.Result_RESULT_GOING_AWAY))
	if _, err := r.login.offer("CAROL", g.Node()); err == nil {
		t.Error("a draining gate took a pass")
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	clients["ALICE"].mustRead(t, kicked(gatepasspb.Result_RESULT_GOING_AWAY))
}

func TestGate_NativeAddr(t *testing.T) {
	r := mustRegion(t)
	o := optionsFor(t, r, 1, 12340)
	if g := mustOpen(t, o); g.NativeAddr() != (netip.AddrPort{}) {
		t.Errorf("native clients may come to %v", g.NativeAddr())
	}
	o = nativeOptions(t, r, 2)
	o.World.Native = "play.example.org:8086"
	if g := mustOpen(t, o); !g.NativeAddr().IsValid() || g.NativeAddr() == g.Addr() {
		t.Errorf("native clients may come to %v", g.NativeAddr())
	}
	for native, addr := range map[string]string{"": "play.example.org:8086", "nowhere": ""} {
		o := optionsFor(t, r, 3+uint8(len(native)), 12340)
		o.NativeAddr, o.World.Native = native, addr
		if _, err := gate.Open(context.Background(), o); err == nil || !strings.Contains(err.Error(), "native address") {
			t.Errorf("%q with %q: %v", native, addr, err)
		}
	}
}

// A client whose build the world does not accept learns it, whatever its pass.
func TestGate_NativeBuilds(t *testing.T) {
	r := mustRegion(t)
	o := nativeOptions(t, r, 1)
	o.World.NativeBuilds = []uint16{99}
	g := mustOpen(t, o)
	c := mustDialNative(t, g.NativeAddr())
	mustShow(t, c, pass{id: worlds.PassID{1}})
	c.mustRead(t, refused(gatepasspb.Result_RESULT_VERSION_INVALID))
	c.mustBeClosed(t)
}
