package gate_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"gatepass/codec/world"
	"gatepass/worlds"
	"gatepass/worlds/gate"
)

// optionsFor returns options of a world with one place and a short RefusalDelay.
func optionsFor(tb testing.TB, r *region, id uint8, build uint16) gate.Options {
	tb.Helper()
	return gate.Options{
		World: worlds.Registration{
			World:    worlds.World{ID: id, Name: fmt.Sprintf("World %d", id), Builds: []uint16{build}},
			Capacity: 1,
		},
		Addr: "127.0.0.1:0", Bus: r.mustJoin(tb, worlds.WorldNode(id)), Logger: discard(),
		RefusalDelay: 100 * time.Millisecond, HandshakeLimit: 500 * time.Millisecond,
	}
}

func mustOpen(tb testing.TB, o gate.Options) *gate.Gate {
	tb.Helper()
	g, err := gate.Open(context.Background(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := g.Close(); err != nil {
			tb.Error(err)
		}
	})
	return g
}

func eventually(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("%s: not within 10 s", what)
		}
	}
}

func keyOf(n byte) (key [40]byte) {
	for i := range key {
		key[i] = n + byte(i)
	}
	return key
}

// A client of each era logs in, enters, waits if there is no room, and returns to its
// login server.
func TestGate_ClientsOfThreeEras(t *testing.T) {
	r := mustRegion(t)
	t.Run("eras", func(t *testing.T) {
		for i, build := range []uint16{5875, 8606, 12340} {
			t.Run(fmt.Sprint(build), func(t *testing.T) {
				o := optionsFor(t, r, uint8(i+1), build)
				t.Parallel()
				playEra(t, r, mustOpen(t, o), build)
			})
		}
	})
}

func playEra(t *testing.T, r *region, g *gate.Gate, build uint16) {
	alice, bob := fmt.Sprintf("ALICE%d", build), fmt.Sprintf("BOB%d", build)
	aliceKey, bobKey := keyOf(1), keyOf(2)
	r.login.hold(alice, aliceKey)
	r.login.hold(bob, bobKey)

	first := mustDial(t, g.Addr(), build)
	first.mustIntroduce(t, alice, aliceKey)
	if a := first.mustAnswer(t, world.CodeOK); !a.Billing {
		t.Error("who did not wait is let in by the long form")
	}
	first.mustAsk(t, world.CMSGCharEnum, nil, world.Packet{Opcode: world.SMSGCharEnum, Body: []byte{0}})
	ping := world.AppendPing(nil, world.Ping{Sequence: 7})
	pong := world.Packet{Opcode: world.SMSGPong, Body: world.AppendPong(nil, 7)}
	first.mustAsk(t, world.CMSGPing, ping, pong)

	second := mustDial(t, g.Addr(), build)
	second.mustIntroduce(t, bob, bobKey)
	if a := second.mustAnswer(t, world.CodeWaitQueue); a.Position != 1 || !a.Billing {
		t.Errorf("the first word to who has to wait: %+v", a)
	}
	second.mustAsk(t, world.CMSGPing, ping, pong)

	replay(t, g, first, build)

	if err := r.login.reclaim(alice, g.Node(), aliceKey); err != nil {
		t.Fatal(err)
	}
	first.mustBeClosed(t)
	if a := second.mustAnswer(t, world.CodeOK); a.Billing {
		t.Error("who has waited is let in by a bare code")
	}
	second.mustAsk(t, world.CMSGPing, ping, pong)
	eventually(t, "registered", g.Registered)
	if b := g.Beat(); b.Population != 1 || b.Load != 1 || b.Leaving {
		t.Errorf("beat %+v", b)
	}
}

// replay sends another client's message. The server's seed differs, so the digest is
// invalid.
func replay(t *testing.T, g *gate.Gate, of *client, build uint16) {
	t.Helper()
	before := g.Stats().Refused[gate.RefusalProof]
	c := mustDial(t, g.Addr(), build)
	if _, err := c.conn.Write(of.hello); err != nil {
		t.Fatal(err)
	}
	c.mustAnswer(t, world.CodeFailed)
	c.mustBeClosed(t)
	if n := g.Stats().Refused[gate.RefusalProof]; n != before+1 {
		t.Errorf("%d replays were counted, want 1", n-before)
	}
}

// If a client disconnects while its key is moving, the gate keeps the key, and the
// client finds it when it returns.
func TestGate_ConnectionKilledWhileClaiming(t *testing.T) {
	r := mustRegion(t)
	g := mustOpen(t, optionsFor(t, r, 1, 12340))
	key := keyOf(9)
	for i := range 5 {
		account := fmt.Sprintf("EVE%d", i)
		r.login.hold(account, key)
		c := mustDial(t, g.Addr(), 12340)
		resume := r.login.pause()
		c.mustIntroduce(t, account, key)
		eventually(t, "claiming", func() bool { return g.Stats().InState[gate.StateClaiming] == 1 })
		c.close()
		if i%2 == 0 {
			eventually(t, "gone", func() bool { return g.Stats().InState[gate.StateClaiming] == 0 })
		}
		resume()
		again := mustDial(t, g.Addr(), 12340)
		again.mustIntroduce(t, account, key)
		again.mustAnswer(t, world.CodeOK)
		again.close()
		eventually(t, "left", func() bool { return g.Beat().Population == 0 })
	}
}

// Messages of strangers do no harm.
func TestGate_HostileInput(t *testing.T) {
	r := mustRegion(t)
	g := mustOpen(t, optionsFor(t, r, 1, 5875))
	key := keyOf(3)
	r.login.hold("ALICE", key)
	for name, bytes := range map[string][]byte{
		"garbage":        []byte("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"),
		"an empty size":  {0, 0, 0xed, 1, 0, 0},
		"a huge size":    {0xff, 0xff, 0xed, 1, 0, 0},
		"another packet": {0, 4, 0x37, 0, 0, 0},
		"a short body":   {0, 8, 0xed, 1, 0, 0, 1, 2, 3, 4},
	} {
		c := mustDial(t, g.Addr(), 5875)
		if _, err := c.conn.Write(bytes); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		c.mustBeClosed(t)
	}
	silent := mustDial(t, g.Addr(), 5875)
	silent.mustBeClosed(t)
	half := mustDial(t, g.Addr(), 5875)
	if _, err := half.conn.Write([]byte{0, 50, 0xed, 1}); err != nil {
		t.Fatal(err)
	}
	half.mustBeClosed(t)
	impatient := mustDial(t, g.Addr(), 5875)
	impatient.mustIntroduce(t, "NOBODY", key)
	impatient.close()
	eventually(t, "everybody gone", func() bool { return g.Stats().Server.Conns == 0 })

	slow := mustDial(t, g.Addr(), 5875)
	sendSlowly(t, slow, "ALICE", key)
	slow.mustAnswer(t, world.CodeOK)
	if n := g.Stats(); n.Panics != 0 || n.Server.Panics != 0 {
		t.Errorf("%d and %d panics", n.Panics, n.Server.Panics)
	}
}

// sendSlowly sends the AUTH_SESSION byte by byte.
func sendSlowly(t *testing.T, c *client, account string, key [40]byte) {
	t.Helper()
	real := c.conn
	c.conn = byBytes{real}
	c.mustIntroduce(t, account, key)
	c.conn = real
}

type byBytes struct{ net.Conn }

func (b byBytes) Write(all []byte) (int, error) {
	for i := range all {
		if _, err := b.Conn.Write(all[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(all), nil
}

// recorder is a game that records events.
type recorder struct{ events chan string }

func (r recorder) Entered(p gate.Player) { r.events <- "entered " + p.Account() }
func (r recorder) Packet(p gate.Player, opcode uint32, body []byte) {
	r.events <- fmt.Sprintf("%s says %#x %s", p.Account(), opcode, body)
	if opcode == 0x95 {
		go func() { p.Send(0x96, body); p.Kick() }() // on another goroutine
	}
}
func (r recorder) Left(p gate.Player, why gate.LeftReason) {
	r.events <- fmt.Sprintf("%s left, %v", p.Account(), why)
}

func TestGate_HandlerDrainAndClose(t *testing.T) {
	r := mustRegion(t)
	o := optionsFor(t, r, 1, 12340)
	game := recorder{make(chan string, 16)}
	o.Handler, o.World.Capacity = game, 2
	g := mustOpen(t, o)
	key := keyOf(4)
	clients := map[string]*client{}
	for _, account := range []string{"ALICE", "BOB", "CAROL"} {
		r.login.hold(account, key)
		c := mustDial(t, g.Addr(), 12340)
		c.mustIntroduce(t, account, key)
		code := uint8(world.CodeOK)
		if account == "CAROL" {
			code = world.CodeWaitQueue
		}
		c.mustAnswer(t, code)
		clients[account] = c
	}
	clients["ALICE"].mustAsk(t, 0x95, []byte("hi"), world.Packet{Opcode: 0x96, Body: []byte("hi")})
	clients["ALICE"].mustBeClosed(t)
	clients["CAROL"].mustAnswer(t, world.CodeOK)

	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := g.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("drained with two inside: %v", err)
	}
	if _, err := dial(g.Addr(), 12340); err == nil {
		t.Error("a draining gate let somebody in")
	}
	clients["BOB"].close()
	drained := make(chan error)
	go func() { drained <- g.Drain(context.Background()) }()
	clients["CAROL"].close()
	if err := <-drained; err != nil {
		t.Errorf("drain: %v", err)
	}
	if !g.Beat().Leaving {
		t.Error("the beat does not say that the world leaves")
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	close(game.events)
	var got []string
	for e := range game.events {
		got = append(got, e)
	}
	want := []string{"entered ALICE", "entered BOB", "ALICE says 0x95 hi", "ALICE left, kicked", "entered CAROL"}
	if len(got) != 7 || fmt.Sprint(got[:5]) != fmt.Sprint(want) {
		t.Errorf("the game saw %q", got)
	}
}

func TestOpen_TellsEveryFaultAtOnce(t *testing.T) {
	_, err := gate.Open(context.Background(), gate.Options{Addr: "nowhere", MaxQueue: -1})
	if err == nil {
		t.Fatal("opened")
	}
	for _, want := range []string{"id:", "name:", "address", "capacity", "builds", "max-queue", "logger", "bus"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

func TestOpen_OfWhatCannotBe(t *testing.T) {
	r := mustRegion(t)
	o := optionsFor(t, r, 1, 5875)
	o.World.Builds = []uint16{5875, 12340} // two eras
	if _, err := gate.Open(context.Background(), o); !errors.Is(err, world.ErrBuilds) {
		t.Errorf("two eras: %v", err)
	}
	o.World.Builds = []uint16{5875}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	o.Addr = l.Addr().String()
	if _, err := gate.Open(context.Background(), o); err == nil {
		t.Error("opened on a port that is taken")
	}
	o.World.ID = 2
	if _, err := gate.Open(context.Background(), o); err == nil {
		t.Error("opened with the credentials of another world")
	}
	o.World.ID, o.Addr = 1, "127.0.0.1:0"
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := gate.Open(ended, o); !errors.Is(err, context.Canceled) {
		t.Errorf("opened though nobody wants it: %v", err)
	}
}
