package gate

import (
	"fmt"
	"log/slog"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"pgregory.net/rapid"

	"gatepass/codec"
	"gatepass/codec/world"
	"gatepass/queue"
	"gatepass/worlds"
)

// bare is a core without neighbours: its messages are only counted.
type bare struct {
	core      *core
	sent      int
	positions int
	announced int
	locates   []worlds.Locate
	moves     []worlds.OutgoingMove
	closed    []codec.Conn
	codes     []uint8 // of the answers to AUTH_SESSION
	seeds     map[codec.Conn][4]byte
	nonce     [32]byte // of the last challenge
	// digest, if set, changes a client's digest. peer returns the address of client n.
	digest func(d *[20]byte)
	peer   func(n int) netip.AddrPort
	passes int
}

func newBare(tb testing.TB, o Options) *bare {
	tb.Helper()
	b := &bare{seeds: make(map[codec.Conn][4]byte)}
	o.World.World = worlds.World{ID: 7, Name: "Test", Address: "192.0.2.1:8085", Builds: []uint16{5875}}
	o.World.Incarnation, o.Logger = 77, slog.New(slog.DiscardHandler)
	o.EnsureDefaults()
	c, err := newCore(o, ports{out: b, region: b, random: o.Random, drained: func() {}, door: &door{push: func(*post) bool { return true }}})
	if err != nil {
		tb.Fatal(err)
	}
	b.core = c
	c.tick(1000)
	return b
}

func (b *bare) Send(conn codec.Conn, r *codec.Reply) bool {
	b.sent++
	switch {
	case r.Kind == codec.ReplyWorldChallenge:
		b.seeds[conn] = r.World.Seed
	case r.Kind == codec.ReplyGateChallenge:
		b.nonce = r.Native.Nonce
	case r.Kind == codec.ReplyWorldAuth && r.World.Code == world.CodeWaitQueue && !r.World.Long:
		b.positions++
	}
	return true
}
func (b *bare) SendLast(_ codec.Conn, r *codec.Reply) bool {
	if r.World != nil {
		b.codes = append(b.codes, r.World.Code)
	}
	return true
}
func (b *bare) Close(conn codec.Conn, _ codec.CloseReason) bool {
	b.closed = append(b.closed, conn)
	return true
}
func (b *bare) Flush() {}
func (b *bare) Submit(effects []worlds.Effect) {
	for i := range effects {
		switch x := &effects[i]; {
		case x.Locate != nil:
			b.locates = append(b.locates, *x.Locate)
		case x.Move != nil:
			b.moves = append(b.moves, worlds.OutgoingMove{To: x.To, Move: *x.Move})
		case x.Announce != nil:
			b.announced++
		}
	}
}

// newHolder returns the login server of a bare core.
func newHolder() *worlds.Passes[struct{}] {
	p := worlds.NewPasses(worlds.PassOptions[struct{}]{
		Self: "login.a",
		Verify: func(h *worlds.Held[struct{}], p *worlds.Proof) bool {
			return world.Digest(h.Account.Bytes(), p.ClientSeed, p.ServerSeed, (*[40]byte)(h.Key().Bytes())) == p.Digest
		},
		Gives: func(worlds.Node) bool { return true },
	})
	p.Tick(1000)
	return p
}

// come runs a client's whole admission: connection, proof, place, move.
func (b *bare) come(holder *worlds.Passes[struct{}], n int, name codec.Name) codec.Conn {
	conn, key := codec.NewConn(0, n, 1), [40]byte{1}
	secret := worlds.NewSecret(key[:])
	holder.Hold(name, 1, &secret)
	c := b.core
	opened := codec.Message{Kind: codec.KindOpened, Conn: conn}
	if b.peer != nil {
		opened.Peer = b.peer(n)
	}
	c.client(&opened)
	a := codec.WorldAuth{Name: name, Build: 5875}
	a.Digest = world.Digest(name.Bytes(), a.ClientSeed, b.seeds[conn], &key)
	if b.digest != nil {
		b.digest(&a.Digest)
	}
	delete(b.seeds, conn)
	c.client(&codec.Message{Kind: codec.KindWorldAuth, Conn: conn, World: &codec.WorldMessage{Auth: a}})
	c.flush()
	for _, l := range b.locates {
		c.deliver(&worlds.Event{Place: &worlds.Place{Account: l.Account, Tag: l.Tag, Holder: "login.a"}})
	}
	b.locates = b.locates[:0]
	b.exchange(holder)
	holder.Outcomes()
	return conn
}

func bareOptions(capacity uint32) Options {
	return Options{World: worlds.Registration{Capacity: capacity}}
}

// A second of position updates has a limited number of messages. The front gets one
// each time, and in the end all clients have their position.
func TestCore_PositionsAreToldInBoundedPortions(t *testing.T) {
	const waiting = 5000
	b, holder := newBare(t, bareOptions(1)), newHolder()
	first := b.come(holder, 0, accountNumber(0))
	for i := 1; i <= waiting; i++ {
		b.come(holder, i, accountNumber(i))
	}
	b.core.client(&codec.Message{Kind: codec.KindClosed, Conn: first}) // all others advance
	now := int64(2000)
	for second := 1; ; second++ {
		now += positionsEvery.Milliseconds()
		b.positions = 0
		b.core.tick(now)
		b.core.flush()
		if b.positions > positionsAtOnce {
			t.Fatalf("%d were told in a second", b.positions)
		}
		stale, front := 0, 0
		b.core.line.countPositions(func(w *waiter) {
			if w.shown != w.position {
				stale++
				if w.position <= positionsFront {
					front++
				}
			}
		})
		if front > 0 {
			t.Fatalf("second %d: %d at the front were not told", second, front)
		}
		if stale == 0 {
			if second > waiting/(positionsAtOnce-positionsFront)+1 {
				t.Errorf("it took %d seconds", second)
			}
			break
		}
	}
}

// The keys of a large world are announced again in portions, each key once.
func TestCore_ReannouncesInPortions(t *testing.T) {
	const players = 1200
	b, holder := newBare(t, bareOptions(players)), newHolder()
	for i := range players {
		b.come(holder, i, accountNumber(i))
	}
	b.core.deliver(&worlds.Event{Up: true})
	total := 0
	for now := int64(2000); total < players; now += 100 {
		b.announced = 0
		b.core.tick(now)
		b.core.flush()
		if b.announced == 0 || b.announced > announceAtOnce {
			t.Fatalf("%d announced with a tick", b.announced)
		}
		total += b.announced
	}
	if total != players {
		t.Errorf("%d announced, want %d", total, players)
	}
}

// The gate passes a player's packet to the game without an allocation.
func TestCore_PacketAllocatesNothing(t *testing.T) {
	b := newBare(t, bareOptions(1))
	m := codec.Message{Kind: codec.KindWorldPacket, Conn: b.come(newHolder(), 1, accountNumber(1))}
	m.World = &codec.WorldMessage{Opcode: 0x95}
	if n := testing.AllocsPerRun(100, func() { b.core.client(&m) }); n != 0 {
		t.Errorf("%v allocations a packet, want 0", n)
	}
}

// After any actions of clients, login servers, directory, bus and clock: nobody waits
// while there is room, the world is never over its capacity, the game gets Entered and
// Left once for each player, and the counts are correct.
func TestCore_Properties(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		e := newScenario(t)
		e.options.World.Capacity = uint32(rapid.IntRange(1, 3).Draw(r, "capacity"))
		e.options.MaxQueue = rapid.IntRange(1, 4).Draw(r, "queue")
		e.options.SecondLogin = worlds.SecondLogin(rapid.IntRange(0, 1).Draw(r, "second"))
		e.options.ReconnectGrace = 30 * time.Second
		e.restart(t)
		p := &player{scenario: e, t: t, stays: map[string]int{}}
		for range rapid.IntRange(10, 150).Draw(r, "steps") {
			rapid.SampledFrom(playerActions).Draw(r, "action").act(p, r)
			p.check(r)
		}
	})
}

// player runs a random scenario.
type player struct {
	*scenario
	t     *testing.T
	conns int
	stamp int
	stays map[string]int // Entered minus Left, by account and connection
}

// do runs a command of the scripts.
func (p *player) do(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	d := parseCommand(line)
	p.out.Reset()
	scenarioSteps[d.Cmd](p.scenario, p.t, d)
	p.settle()
	for line := range strings.Lines(p.out.String()) {
		var name, what string
		if n, _ := fmt.Sscanf(line, "game: %s %s", &name, &what); n != 2 {
			continue
		}
		switch what {
		case "entered":
			p.stays[name]++
		case "left,":
			p.stays[name]--
		}
	}
}

// parseCommand parses a line as a script's command.
func parseCommand(line string) *datadriven.TestData {
	words := strings.Fields(line)
	d := &datadriven.TestData{Cmd: words[0]}
	for _, word := range words[1:] {
		key, value, ok := strings.Cut(word, "=")
		arg := datadriven.CmdArg{Key: key}
		if ok {
			arg.Vals = []string{value}
		}
		d.CmdArgs = append(d.CmdArgs, arg)
	}
	return d
}

// pick returns a connection in one of some states, or 0 if there is none.
func (p *player) pick(r *rapid.T, states stateSet) int {
	var all []int
	p.core.each(func(s *session) {
		if states.has(s.state) {
			all = append(all, s.conn.Slot())
		}
	})
	if len(all) == 0 {
		return 0
	}
	return rapid.SampledFrom(all).Draw(r, "conn")
}

func nameOf(account string) codec.Name {
	name, _ := codec.NameOf(account)
	return name
}

func name(r *rapid.T) string {
	return rapid.SampledFrom([]string{"A", "B", "C", "D", "E", "F"}).Draw(r, "name")
}

// action is one possible action. Rapid's report shows its name.
type action struct {
	name string
	act  func(p *player, r *rapid.T)
}

func (a action) String() string { return a.name }

const anyState = stateSet(1<<StateCount - 1)

var playerActions = []action{
	{"come", come}, {"come", come}, {"come", come}, {"come", come},
	{"login", func(p *player, r *rapid.T) {
		p.stamp++
		p.do("login name=%s stamp=%d key=%d", name(r), p.stamp, p.stamp%250+1)
	}},
	{"open", func(p *player, _ *rapid.T) {
		p.conns++
		p.do("open conn=%d", p.conns)
	}},
	{"auth", func(p *player, r *rapid.T) {
		if conn := p.pick(r, in(StateConnected)); conn != 0 {
			key := max(1, p.stamp-rapid.IntRange(0, 6).Draw(r, "age"))
			p.do("auth conn=%d name=%s key=%d", conn, name(r), key%250+1)
		}
	}},
	{"again", again}, {"again", again},
	{"arrive", arrive}, {"arrive", arrive}, {"arrive", arrive},
	{"arrive again", func(p *player, r *rapid.T) {
		account := name(r)
		if s := p.core.at(nameOf(account)); s != nil && s.native {
			p.conns++
			p.do("arrive conn=%d name=%s stamp=%d", p.conns, account, s.stamp)
		}
	}},
	{"ping", func(p *player, r *rapid.T) {
		if p.outFull {
			return // a dropped client makes room only when it is closed
		}
		if conn := p.pick(r, in(StateWaiting, StateInside)); conn != 0 && p.core.sessionOf(codec.NewConn(0, conn, 1)).native {
			p.do("ping conn=%d n=1", conn)
		}
	}},
	{"closed", closed(anyState)}, {"closed inside", closed(in(StateInside))}, {"closed waiting", closed(in(StateWaiting))},
	{"bus", func(p *player, _ *rapid.T) { p.do("bus") }},
	{"bus-once", func(p *player, _ *rapid.T) { p.do("bus-once") }},
	{"lose", func(p *player, _ *rapid.T) { p.do("bus lose") }},
	{"tick", func(p *player, r *rapid.T) {
		p.do("tick %dms", rapid.SampledFrom([]int{100, 100, 600, 600, 4000, 61000}).Draw(r, "ms"))
	}},
	{"return", func(p *player, r *rapid.T) {
		account := nameOf(name(r))
		if h := p.core.passes.Find(account); h != nil && h.Key() != nil {
			p.do("return name=%s key=%d", account, h.Key().Bytes()[0])
		}
	}},
	{"end", func(p *player, r *rapid.T) { p.do("end name=%s", name(r)) }},
	{"end one", func(p *player, r *rapid.T) {
		p.do("end name=%s stamp=%d", name(r), max(1, p.stamp-rapid.IntRange(0, 6).Draw(r, "age")))
	}},
	{"full", func(p *player, _ *rapid.T) { p.do("full") }},
	{"full off", func(p *player, _ *rapid.T) { p.do("full off") }}, {"full off", func(p *player, _ *rapid.T) { p.do("full off") }},
}

func come(p *player, r *rapid.T) {
	p.conns++
	p.stamp++
	p.do("come conn=%d name=%s stamp=%d class=%d key=%d", p.conns, name(r), p.stamp, rapid.IntRange(0, 3).Draw(r, "class"), p.stamp%250+1)
}

// arrive brings a native client with the pass of a new login.
func arrive(p *player, r *rapid.T) {
	p.conns++
	p.stamp++
	p.do("arrive conn=%d name=%s stamp=%d class=%d key=%d", p.conns, name(r), p.stamp, rapid.IntRange(0, 3).Draw(r, "class"), p.stamp%250+1)
}

// again brings a client on a new connection with the key that is here.
func again(p *player, r *rapid.T) {
	account := nameOf(name(r))
	h := p.core.passes.Find(account)
	if h == nil || h.Key() == nil {
		return
	}
	p.conns++
	p.do("open conn=%d", p.conns)
	p.do("auth conn=%d name=%s key=%d", p.conns, account, h.Key().Bytes()[0])
}

func closed(states stateSet) func(*player, *rapid.T) {
	return func(p *player, r *rapid.T) {
		if conn := p.pick(r, states); conn != 0 {
			p.do("closed conn=%d", conn)
		}
	}
}

func (p *player) check(r *rapid.T) {
	p.out.Reset()
	p.checkCounts()
	if p.out.Len() > 0 {
		r.Fatal(p.out.String())
	}
	c, capacity := p.core, int(p.options.World.Capacity)
	if c.inside > capacity || c.line.len() > p.options.MaxQueue {
		r.Fatalf("%d inside, %d in line", c.inside, c.line.len())
	}
	if !p.outFull && c.inside < capacity && c.line.present > 0 && len(c.closes) == 0 {
		r.Fatalf("%d wait while there is room", c.line.present)
	}
	in := map[string]int{}
	for account, conn := range c.online {
		s := c.sessionOf(conn)
		if s == nil || s.account != account || s.state != StateWaiting && s.state != StateInside {
			r.Fatalf("%v is said to be here", account)
		}
		if c.passes.Find(account) == nil {
			r.Fatalf("%v is here without a key", account)
		}
		if s.state == StateInside {
			in[account.String()] = 1
		}
	}
	c.passes.Each(func(h *held) {
		if s := c.at(h.Account); len(h.Key().Bytes()) == passKeySize && (s == nil || !s.native || s.stamp != h.Stamp) {
			r.Fatalf("a pass's key of %v is here without its client", h.Account)
		}
	})
	for account, n := range p.stays {
		if n != in[account] {
			r.Fatalf("the game knows of %d stays of %s, there are %d", n, account, in[account])
		}
	}
}

func BenchmarkCore_Admission(b *testing.B) {
	b.ReportAllocs()
	bare, holder := newBare(b, bareOptions(1000)), newHolder()
	now := int64(1000)
	for i := 0; b.Loop(); i++ {
		conn := bare.come(holder, i%1000, accountNumber(i%100_000))
		if bare.core.inside != 1 {
			b.Fatal("not let in")
		}
		bare.core.client(&codec.Message{Kind: codec.KindClosed, Conn: conn})
		bare.core.deliver(&worlds.Event{End: &worlds.End{Account: accountNumber(i % 100_000)}})
		if i%100 == 0 {
			now += 100
			holder.Tick(now)
			bare.core.tick(now)
		}
	}
}

func BenchmarkCore_Packet(b *testing.B) {
	b.ReportAllocs()
	bare, holder := newBare(b, bareOptions(1)), newHolder()
	m := codec.Message{Kind: codec.KindWorldPacket, Conn: bare.come(holder, 1, accountNumber(1))}
	m.World = &codec.WorldMessage{Opcode: 0x95}
	for b.Loop() {
		bare.core.client(&m)
	}
}

// BenchmarkCore_HeldPlayer measures the bytes of a player in the world and of a key
// without its player, without the memory of the sockets.
func BenchmarkCore_HeldPlayer(b *testing.B) {
	const players = 10_000
	for b.Loop() {
		bare := newBare(b, bareOptions(players))
		empty := heap()
		conns := make([]codec.Conn, players)
		for i := range players {
			conns[i] = bare.come(newHolder(), i, accountNumber(i)) // its memory is released
		}
		b.ReportMetric(float64(heap()-empty)/players, "B/player")
		for _, conn := range conns {
			bare.core.client(&codec.Message{Kind: codec.KindClosed, Conn: conn})
		}
		b.ReportMetric(float64(heap()-empty)/players, "B/key")
		runtime.KeepAlive(bare)
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// After a sleep of the machine, a client's message can arrive before the first tick. It
// is handled at the present time, not at the time of the last tick.
func TestLoop_TellsTheTimeBeforeWhatCameMeanwhile(t *testing.T) {
	b := newBare(t, Options{World: worlds.Registration{Capacity: 1}, Random: func([]byte) {}})
	now := b.core.now
	in := newInbox(1, func(int) {})
	l := newLoop(b.core, in, func() int64 { return now })
	round := func(slot int) int64 {
		conn := codec.NewConn(0, slot, 1)
		in.clients[0].Push(&codec.Message{Kind: codec.KindOpened, Conn: conn})
		l.Round(queue.Ready(1 << in.clients[0].Index()))
		return b.core.sessionOf(conn).deadline - b.core.options.HandshakeLimit.Milliseconds()
	}
	if at := round(1); at != 1000 {
		t.Errorf("opened at %d, want the last tick, which was just now", at)
	}
	now += time.Hour.Milliseconds()
	if at := round(2); at != now {
		t.Errorf("opened %d ms before the time it was opened", now-at)
	}
}
