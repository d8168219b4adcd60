package gate

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cockroachdb/datadriven"
	"go.uber.org/goleak"

	"gatepass/codec"
	"gatepass/codec/world"
	"gatepass/worlds"
)

// The ants pool belongs to gnet and lives as long as the process.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"))
}

// TestScenarios runs the scripts in testdata, one file per scenario. The clock is fake,
// login servers are real Passes, and the bus delivers on command. A command prints
// everything that it causes. -rewrite updates the expected output.
func TestScenarios(t *testing.T) { playScenarios(t, "testdata") }

func playScenarios(t *testing.T, folder string) {
	datadriven.Walk(t, folder, func(t *testing.T, path string) {
		if filepath.Dir(path) != folder {
			return // rapid and the fuzzer keep inputs in folders of testdata
		}
		e := newScenario(t)
		datadriven.RunTest(t, path, e.run)
	})
}

func TestScenarios_LeaveInputsOfOtherTestsAlone(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"rapid/TestLine/TestLine-1.fail", "fuzz/FuzzLine/0123456789abcdef"} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("v0.4.8#1\n0x1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	playScenarios(t, folder)
}

// scenario is a core whose neighbours record its calls.
type scenario struct {
	core *core
	out  bytes.Buffer
	now  int64

	options    Options
	random     uint64
	outFull    bool
	quiet      bool // hides moves and announcements
	logins     map[worlds.Node]*worlds.Passes[int]
	places     map[codec.Name]worlds.Place
	bus        []worlds.Effect // not delivered yet
	closing    []codec.Conn    // closed by the core; the reactor has not confirmed
	seeds      map[codec.Conn][4]byte
	nonces     map[codec.Conn][32]byte
	handshakes map[codec.Conn]handshake
	classes    map[string]Class
	players    map[codec.Conn]Player
	posts      []post
	panics     bool // the handler panics at the next packet
}

func newScenario(t testing.TB) *scenario {
	e := &scenario{
		now: 1000, logins: map[worlds.Node]*worlds.Passes[int]{}, places: map[codec.Name]worlds.Place{},
		seeds: map[codec.Conn][4]byte{}, nonces: map[codec.Conn][32]byte{}, handshakes: map[codec.Conn]handshake{}, classes: map[string]Class{}, players: map[codec.Conn]Player{},
	}
	e.options = Options{
		World: worlds.Registration{
			World:       worlds.World{ID: 7, Name: "Test", Address: "192.0.2.1:8085", Builds: []uint16{5875, 6005}},
			Incarnation: 77, Capacity: 2,
		},
		Handler: e, Class: func(account string) Class { return e.classes[account] },
		Logger: slog.New(slog.DiscardHandler), Random: e.draw,
	}
	e.restart(t)
	return e
}

func (e *scenario) restart(t testing.TB) {
	o := e.options
	o.EnsureDefaults()
	c, err := newCore(o, ports{
		out: e, region: e, random: e.draw, drained: func() { e.say("drained") },
		door: &door{push: func(p *post) bool { e.posts = append(e.posts, *p); return true }},
	})
	if err != nil {
		t.Fatal(err)
	}
	e.core = c
	c.tick(e.now)
	c.flush()
	e.out.Reset()
}

// draw returns random bytes: different in each call, the same in each run.
func (e *scenario) draw(b []byte) {
	e.random++
	for i := range b {
		b[i] = byte(e.random >> (8 * (i % 4)))
	}
}

func (e *scenario) say(format string, args ...any) { fmt.Fprintf(&e.out, format+"\n", args...) }

func (e *scenario) run(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	e.out.Reset()
	step, ok := scenarioSteps[d.Cmd]
	if !ok {
		d.Fatalf(t, "no such command")
	}
	step(e, t, d)
	e.settle()
	return e.out.String()
}

// settle ends a round and runs what the game requested in it.
func (e *scenario) settle() {
	e.core.flush()
	for len(e.posts) > 0 {
		p := e.posts[0]
		e.posts = e.posts[1:]
		e.core.posted(&p)
		e.core.flush()
	}
	e.core.publish()
}

// Methods of outbox.

func replyText(r *codec.Reply) string {
	if r.World == nil {
		return nativeText(r)
	}
	w := r.World
	text := ""
	switch r.Kind {
	case codec.ReplyWorldChallenge:
		return "challenge"
	case codec.ReplyWorldPacket:
		return fmt.Sprintf("packet %03x % x", w.Opcode, w.Body)
	case codec.ReplyWorldAuth:
		text = fmt.Sprintf("%02x %s", w.Code, world.CodeName(w.Code))
	}
	if w.Code == world.CodeWaitQueue {
		text += fmt.Sprintf(" position=%d", w.Position)
	}
	if w.Long {
		text += " long"
	}
	if w.KeySet {
		text += fmt.Sprintf(" key=%d", w.Key[0])
	}
	return text
}

func (e *scenario) Send(conn codec.Conn, r *codec.Reply) bool {
	if e.outFull {
		return false
	}
	switch r.Kind {
	case codec.ReplyWorldChallenge:
		e.seeds[conn] = r.World.Seed
	case codec.ReplyGateChallenge:
		e.nonces[conn] = r.Native.Nonce
	case codec.ReplyGateAccepted:
		e.checkGate(conn, r.Native)
	}
	e.say("→ %d: %s", conn.Slot(), replyText(r))
	return true
}

func (e *scenario) SendLast(conn codec.Conn, r *codec.Reply) bool {
	if e.outFull {
		return false
	}
	e.say("→ %d: %s, then close", conn.Slot(), replyText(r))
	e.closing = append(e.closing, conn)
	return true
}

func (e *scenario) Close(conn codec.Conn, reason codec.CloseReason) bool {
	if e.outFull {
		return false
	}
	e.say("→ %d: close (%v)", conn.Slot(), reason)
	e.closing = append(e.closing, conn)
	return true
}

func (e *scenario) Flush() {}

// Methods of region: what is submitted waits for the command "bus".

func (e *scenario) Submit(effects []worlds.Effect) {
	for i := range effects {
		x := effects[i]
		switch {
		case x.Move != nil:
			m := *x.Move
			x.Move = &m
			if !e.quiet {
				e.say("bus → %s: %s", x.To, moveText(&m))
			}
			e.bus = append(e.bus, x)
		case x.Locate != nil:
			l := *x.Locate
			x.Locate = &l
			e.say("bus: where is %s? wait=%v", l.Account, l.Wait)
			e.bus = append(e.bus, x)
		case x.Progress != nil && x.Progress.Ended != "":
			e.say("bus → %s: pass %d is ended, %s", x.To, x.Progress.Pass[0], x.Progress.Ended)
		case x.Progress != nil:
			e.say("bus → %s: pass %d is at %d", x.To, x.Progress.Pass[0], x.Progress.Position)
		case x.Announce != nil && !e.quiet:
			a := x.Announce
			kinds := [...]string{"fresh", "moved", "held", "gone", "renewed"}
			e.say("bus: %s is %s here stamp=%d hop=%d", a.Account, kinds[a.Kind], a.Stamp, a.Hop)
		}
	}
}

func moveText(m *worlds.Move) string {
	text := fmt.Sprintf("%v %s", m.Kind, m.Account)
	if m.Kind == worlds.MoveRefuse {
		text += " " + m.Reason.String()
	}
	return text
}

// Methods of Handler.

func (e *scenario) Entered(p Player) {
	e.players[p.conn] = p
	e.say("game: %s entered by %d", p.Account(), p.conn.Slot())
}

func (e *scenario) Packet(p Player, opcode uint32, body []byte) {
	e.say("game: %s says %03x % x", p.Account(), opcode, body)
	if e.panics {
		e.panics = false
		panic("a bug of the game")
	}
	CharacterScreen{}.Packet(p, opcode, body)
}

func (e *scenario) Left(p Player, why LeftReason) {
	delete(e.players, p.conn)
	e.say("game: %s left, %v", p.Account(), why)
}

// Login servers.

// voucherKey is the region's key.
var voucherKey = worlds.NewSecret(make([]byte, worlds.VoucherKeySize))

func (e *scenario) login(t *testing.T, d *datadriven.TestData) (worlds.Node, *worlds.Passes[int]) {
	name := "login.a"
	d.MaybeScanArgs(t, "at", &name)
	node := worlds.Node(name)
	if e.logins[node] == nil {
		p := worlds.NewPasses(worlds.PassOptions[int]{
			Self: node, Incarnation: uint64(len(e.logins) + 1),
			Verify: func(h *worlds.Held[int], p *worlds.Proof) bool {
				want := world.Digest(h.Account.Bytes(), p.ClientSeed, p.ServerSeed, (*[40]byte)(h.Key().Bytes()))
				return p.World && want == p.Digest
			},
			Gives:    func(to worlds.Node) bool { return to.Kind() == worlds.KindWorld },
			Vouchers: worlds.NewVouchers(&voucherKey),
		})
		p.Tick(e.now)
		e.logins[node] = p
	}
	return node, e.logins[node]
}

// deliver delivers all messages until none is left.
func (e *scenario) deliver() {
	for e.deliverOut() || e.deliverIn() {
	}
}

// deliverOut delivers the messages of the gate.
func (e *scenario) deliverOut() bool {
	pending := e.bus
	e.bus = nil
	for _, x := range pending {
		switch {
		case x.Locate != nil:
			e.answer(x.Locate)
		case e.logins[x.To] != nil:
			e.logins[x.To].Handle(e.core.self, x.Move)
		}
	}
	return len(pending) > 0
}

// deliverIn delivers the messages of the login servers.
func (e *scenario) deliverIn() (moved bool) {
	for _, node := range e.nodes() {
		for _, o := range e.logins[node].Outgoing() {
			moved = true
			if !e.quiet {
				e.say("%s → gate: %s", node, moveText(&o.Move))
			}
			m := o.Move
			e.core.deliver(&worlds.Event{From: node, Move: &m})
			e.settle()
		}
		for _, o := range e.logins[node].Outcomes() {
			e.say("%s: %v %s", node, o.Kind, o.Account)
		}
	}
	return moved
}

func (e *scenario) nodes() (all []worlds.Node) {
	for node := range e.logins {
		all = append(all, node)
	}
	slices.Sort(all)
	return all
}

func (e *scenario) answer(l *worlds.Locate) {
	p, known := e.places[l.Account]
	if !known && l.Wait {
		return
	}
	p.Account, p.Tag = l.Account, l.Tag
	e.core.deliver(&worlds.Event{Place: &p})
	e.settle()
}
