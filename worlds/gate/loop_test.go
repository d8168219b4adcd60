package gate

import (
	"bytes"
	"log/slog"
	"net/netip"
	"slices"
	"testing"
	"time"

	"gatepass/codec"
	"gatepass/codec/world"
	"gatepass/deadline"
	"gatepass/queue"
	"gatepass/worlds"
)

// brokenLoop returns a loop whose core panics at every message.
func brokenLoop() *loop {
	conn := codec.NewConn(0, 1, 1)
	c := &core{options: Options{Logger: slog.New(slog.DiscardHandler)}, ports: ports{out: &bare{}}}
	c.sessions = map[codec.Conn]*session{conn: {conn: conn, state: StateInside}}
	c.online = map[codec.Name]codec.Conn{{}: conn} // without their keys: see core.release
	return &loop{core: c}
}

// A panic in any call of the loop into the core ends neither the goroutine nor the
// other messages of the round.
func TestLoop_EveryWayIntoTheCoreIsRescued(t *testing.T) {
	conn, now := codec.NewConn(0, 1, 1), int64(1000)
	drain, end := commandDrain, commandClose
	for name, call := range map[string]func(l *loop){
		"tick":    func(l *loop) { l.tick(&now) },
		"command": func(l *loop) { l.command(&drain) },
		"close":   func(l *loop) { l.command(&end) },
		"event":   func(l *loop) { l.event(&worlds.Event{Move: &worlds.Move{}}) },
		"post":    func(l *loop) { l.post(&post{conn: conn, kick: true}) },
		"client":  func(l *loop) { l.client(&codec.Message{Kind: codec.KindWorldPacket, Conn: conn}) },
		"flush":   func(l *loop) { l.flush() },
	} {
		t.Run(name, func(t *testing.T) {
			l := brokenLoop()
			if name == "command" { // it does nothing for players in the world
				l.core.sessions = nil
			}
			call(l)
			if n := l.core.count.panics.Load(); n == 0 {
				t.Error("nothing has panicked: the test is worth nothing")
			}
			if name == "close" && !l.Ended() {
				t.Error("the loop goes on for ever")
			}
		})
	}
}

// If the clean-up of a session panics too, only its connection is lost.
func TestLoop_APanicInTheCleanUpCostsOneConnection(t *testing.T) {
	b, holder := newBare(t, bareOptions(10)), newHolder()
	l := &loop{core: b.core}
	conn, other := b.come(holder, 1, accountNumber(1)), b.come(holder, 2, accountNumber(2))
	s := b.core.sessionOf(conn)
	s.state, s.attempt = StateClaiming, nil // leaving that state panics
	for range 2 {
		l.client(&codec.Message{Kind: codec.KindWorldPacket, Conn: conn, World: &codec.WorldMessage{}})
		l.client(&codec.Message{Kind: codec.KindClosed, Conn: conn})
	}
	if n := b.core.count.panics.Load(); n != 2 {
		t.Errorf("%d panics, want that and the one of the clean-up", n)
	}
	if b.core.sessionOf(conn) != nil || !slices.Contains(b.closed, conn) {
		t.Error("the connection stays")
	}
	before := b.core.count.packets.Load()
	l.client(&codec.Message{Kind: codec.KindWorldPacket, Conn: other, World: &codec.WorldMessage{Opcode: world.CMSGPing}})
	if b.core.count.packets.Load() != before+1 {
		t.Error("another player is not served")
	}
}

// If a key arrives for a client with a wrong digest, the gate keeps the key for its
// owner and refuses the client.
func TestCore_AKeyComesForAClientThatHasNotProvenIt(t *testing.T) {
	b := newBare(t, bareOptions(10))
	careless := worlds.NewPasses(worlds.PassOptions[struct{}]{
		Self: "login.a", Gives: func(worlds.Node) bool { return true },
		Verify: func(*worlds.Held[struct{}], *worlds.Proof) bool { return true },
	})
	careless.Tick(1000)
	b.digest = func(d *[20]byte) { d[0]++ }
	conn := b.come(careless, 1, accountNumber(1))
	b.core.tick(b.core.now + b.core.options.RefusalDelay.Milliseconds() + deadline.Every.Milliseconds())
	if s := b.core.sessionOf(conn); s.state != StateLeaving || s.proven || b.core.inside != 0 || b.core.count.refused[RefusalProof].Load() != 1 {
		t.Errorf("the client is %v, %d are inside", s.state, b.core.inside)
	}
	if !slices.Equal(b.codes, []uint8{world.CodeFailed}) {
		t.Errorf("it is told %x", b.codes)
	}
	h := b.core.passes.Find(accountNumber(1))
	if h == nil || h.Owner.until == 0 {
		t.Fatalf("the key is not kept: %v", h)
	}
	b.core.tick(h.Owner.until + time.Minute.Milliseconds())
	if b.core.passes.Find(accountNumber(1)) != nil {
		t.Error("the key stays for ever")
	}
}

// A network's count is removed when no client there is getting a key.
func TestCore_NetworksAreForgotten(t *testing.T) {
	b, holder := newBare(t, bareOptions(10)), newHolder()
	b.peer = func(n int) netip.AddrPort { return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, byte(n), 1}), 9) }
	for i := range 20 {
		conn := b.come(holder, i, accountNumber(i))
		if i%2 == 0 {
			b.core.client(&codec.Message{Kind: codec.KindClosed, Conn: conn})
		}
	}
	if n := len(b.core.crowds); n != 0 || b.core.getting != 0 {
		t.Errorf("%d networks are remembered, and %d clients", n, b.core.getting)
	}
}

// The log has the stack of a panic but not its text, which may contain a key.
func TestLoop_APanicsTextIsNotLogged(t *testing.T) {
	l := brokenLoop()
	var out bytes.Buffer
	l.core.options.Logger = slog.New(slog.NewTextHandler(&out, nil))
	func() {
		defer queue.Rescue(l, 0)
		panic("secret text")
	}()
	if !bytes.Contains(out.Bytes(), []byte("panic=string")) || bytes.Contains(out.Bytes(), []byte("secret text")) {
		t.Errorf("%s", out.Bytes())
	}
}
