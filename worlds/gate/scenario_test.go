package gate

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"go.uber.org/goleak"

	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/codec/world"
	"gatepass/worlds"
)

// The ants pool is gnet's own and lives as long as the process.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"))
}

// TestScenarios plays the scripts in testdata, one file a scenario, with a fake
// clock, login servers that are real pass machines, and a bus that delivers when
// it is told to. What a command prints is all that it caused. -rewrite writes the
// expected output anew.
func TestScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		e := newScenario(t)
		datadriven.RunTest(t, path, e.run)
	})
}

// scenario is a core with neighbours that write down what they are asked.
type scenario struct {
	core *core
	out  bytes.Buffer
	now  int64

	options Options
	random  uint64
	outFull bool
	quiet   bool // does not show moves and announcements
	logins  map[worlds.Node]*worlds.Passes[int]
	places  map[codec.Name]worlds.Place
	bus     []worlds.Effect // not delivered yet
	closing []codec.Conn    // closed by the core; the reactor's word is to come
	seeds   map[codec.Conn][4]byte
	classes map[string]Class
	players map[codec.Conn]Player
	posts   []post
	panics  bool // the handler panics at the next packet
}

func newScenario(t testing.TB) *scenario {
	e := &scenario{
		now: 1000, logins: map[worlds.Node]*worlds.Passes[int]{}, places: map[codec.Name]worlds.Place{},
		seeds: map[codec.Conn][4]byte{}, classes: map[string]Class{}, players: map[codec.Conn]Player{},
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

// draw is the source of random bytes: each time others, and always the same.
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

// settle ends a round, and takes what the game said in it.
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

// The outbox.

func replyText(r *codec.Reply) string {
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
	if r.Kind == codec.ReplyWorldChallenge {
		e.seeds[conn] = r.World.Seed
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

// The region: what is submitted waits for the command "bus".

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
		case x.Announce != nil && !e.quiet:
			a := x.Announce
			kinds := [...]string{"fresh", "moved", "held", "gone"}
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

// The handler.

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
			Gives: func(to worlds.Node) bool { return to.Kind() == worlds.KindWorld },
		})
		p.Tick(e.now)
		e.logins[node] = p
	}
	return node, e.logins[node]
}

// deliver brings everything to where it goes until nothing is under way.
func (e *scenario) deliver() {
	for e.deliverOut() || e.deliverIn() {
	}
}

// deliverOut brings what the gate has said.
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

// deliverIn brings what the login servers have said.
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

// The commands of a script.
var scenarioSteps = map[string]func(*scenario, *testing.T, *datadriven.TestData){
	"options": stepOptions, "login": stepLogin, "open": stepOpen, "auth": stepAuth, "closed": stepClosed,
	"bus": stepBus, "bus-once": stepBusOnce, "place": stepPlace, "come": stepCome, "packet": stepPacket, "kick": stepKick,
	"tick": stepTick, "end": stepEnd, "up": stepUp, "pulse": stepPulse, "drain": stepDrain, "stop": stepStop,
	"return": stepReturn, "offer": stepOffer, "present": stepPresent, "recall": stepRecall, "full": stepFull,
	"state": stepState, "panic": stepPanic,
}

func handle(t *testing.T, d *datadriven.TestData) codec.Conn {
	var slot int
	d.ScanArgs(t, "conn", &slot)
	return codec.NewConn(0, slot, 1)
}

func account(t *testing.T, d *datadriven.TestData) codec.Name {
	var raw string
	d.ScanArgs(t, "name", &raw)
	name, ok := codec.NameOf(raw)
	if !ok {
		d.Fatalf(t, "no name: %q", raw)
	}
	return name
}

func keyOf(t *testing.T, d *datadriven.TestData) (key [40]byte) {
	n := 1
	d.MaybeScanArgs(t, "key", &n)
	for i := range key {
		key[i] = byte(n)
	}
	return key
}

func mustDuration(t *testing.T, s string) time.Duration {
	t.Helper()
	v, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func stepOptions(e *scenario, t *testing.T, d *datadriven.TestData) {
	durations := map[string]*time.Duration{
		"queue-grace": &e.options.QueueGrace, "reconnect-grace": &e.options.ReconnectGrace,
		"refusal-delay": &e.options.RefusalDelay, "idle": &e.options.IdleLimit,
	}
	for _, arg := range d.CmdArgs {
		var n int
		switch arg.Key {
		case "capacity", "max-queue", "max-claims":
			if _, err := fmt.Sscan(arg.Vals[0], &n); err != nil {
				t.Fatal(err)
			}
		}
		switch arg.Key {
		case "capacity":
			e.options.World.Capacity = uint32(n)
		case "max-queue":
			e.options.MaxQueue = n
		case "max-claims":
			e.options.MaxClaims = n
		case "refuse-second":
			e.options.SecondLogin = worlds.SecondLoginRefuse
		case "quiet":
			e.quiet = true
		default:
			if durations[arg.Key] == nil {
				d.Fatalf(t, "no such option %s", arg.Key)
			}
			*durations[arg.Key] = mustDuration(t, arg.Vals[0])
		}
	}
	e.restart(t)
}

// stepLogin has an account log in at a login server; "unknown" keeps it from the
// directory.
func stepLogin(e *scenario, t *testing.T, d *datadriven.TestData) {
	node, p := e.login(t, d)
	name, key := account(t, d), keyOf(t, d)
	stamp := 1
	d.MaybeScanArgs(t, "stamp", &stamp)
	secret := worlds.NewSecret(key[:])
	p.Hold(name, worlds.Stamp(stamp), &secret)
	if !d.HasArg("unknown") {
		e.places[name] = worlds.Place{Holder: node, Stamp: worlds.Stamp(stamp)}
	}
}

func stepOpen(e *scenario, t *testing.T, d *datadriven.TestData) {
	e.core.client(&codec.Message{Kind: codec.KindOpened, Conn: handle(t, d)})
}

func stepAuth(e *scenario, t *testing.T, d *datadriven.TestData) {
	conn, key := handle(t, d), keyOf(t, d)
	var raw string
	build := 5875
	d.MaybeScanArgs(t, "name", &raw)
	d.MaybeScanArgs(t, "build", &build)
	name, _ := codec.NameOf(raw)
	a := codec.WorldAuth{Name: name, Build: uint16(build), ClientSeed: [4]byte{9, 9, 9, 9}}
	a.Digest = world.Digest([]byte(strings.ToUpper(raw)), a.ClientSeed, e.seeds[conn], &key)
	if d.HasArg("wrong") {
		a.Digest[0] ^= 1
	}
	e.core.client(&codec.Message{Kind: codec.KindWorldAuth, Conn: conn, World: &codec.WorldMessage{Auth: a}})
}

func stepClosed(e *scenario, t *testing.T, d *datadriven.TestData) {
	m := codec.Message{Kind: codec.KindClosed, Conn: handle(t, d)}
	if d.HasArg("slow") {
		m.Reason = codec.CloseSlow
	}
	e.core.client(&m)
}

// stepBus delivers what is under way; "lose" loses it.
func stepBus(e *scenario, _ *testing.T, d *datadriven.TestData) {
	if d.HasArg("lose") {
		e.bus = nil
		return
	}
	e.deliver()
}

// stepBusOnce delivers the answer of the directory and what the login servers say
// to what follows from it, and no more.
func stepBusOnce(e *scenario, _ *testing.T, _ *datadriven.TestData) {
	e.deliverOut()
	e.deliverOut()
	e.deliverIn()
}

func stepPlace(e *scenario, t *testing.T, d *datadriven.TestData) {
	var holder string
	d.MaybeScanArgs(t, "holder", &holder)
	e.places[account(t, d)] = worlds.Place{Holder: worlds.Node(holder)}
}

// stepCome is the whole way of a client in one line: login, connection, proof.
func stepCome(e *scenario, t *testing.T, d *datadriven.TestData) {
	class := 0
	d.MaybeScanArgs(t, "class", &class)
	name := account(t, d)
	e.classes[name.String()] = Class(class)
	stepLogin(e, t, d)
	before := e.out.Len()
	stepOpen(e, t, d)
	stepAuth(e, t, d)
	e.settle()
	e.deliver()
	text := e.out.String()
	e.out.Reset()
	e.out.WriteString(text[:before])
	for line := range strings.Lines(text[before:]) {
		if strings.HasPrefix(line, "game:") || strings.HasPrefix(line, "→") && !strings.Contains(line, "challenge") {
			e.out.WriteString(line)
		}
	}
}

func stepPacket(e *scenario, t *testing.T, d *datadriven.TestData) {
	var opcode string
	d.ScanArgs(t, "opcode", &opcode)
	w := &codec.WorldMessage{Body: []byte(d.Input)}
	if _, err := fmt.Sscanf(opcode, "%x", &w.Opcode); err != nil {
		t.Fatal(err)
	}
	if opcode == "1dc" {
		w.Body = world.AppendPing(nil, world.Ping{Sequence: 5, Latency: 30})
	}
	if d.HasArg("short") {
		w.Body = w.Body[:3]
	}
	e.core.client(&codec.Message{Kind: codec.KindWorldPacket, Conn: handle(t, d), World: w})
}

func stepKick(e *scenario, t *testing.T, d *datadriven.TestData) {
	p, ok := e.players[handle(t, d)]
	if !ok {
		d.Fatalf(t, "not a player")
	}
	p.Send(0x123, []byte{1})
	p.Kick()
	p.Send(0x124, []byte{2})
}

// stepTick lets time pass. Before each tick the reactors close what they were told
// to, unless "lost" says that they never were; login servers hear the time too.
func stepTick(e *scenario, t *testing.T, d *datadriven.TestData) {
	for end := e.now + mustDuration(t, d.CmdArgs[0].Key).Milliseconds(); e.now < end; {
		for _, conn := range e.closing {
			if !d.HasArg("lost") {
				e.core.client(&codec.Message{Kind: codec.KindClosed, Conn: conn, Reason: codec.CloseLogic})
			}
		}
		e.closing = e.closing[:0]
		e.now += tickEvery.Milliseconds()
		for _, p := range e.logins {
			p.Tick(e.now)
		}
		e.core.tick(e.now)
		e.settle()
		if d.HasArg("bus") {
			e.deliver()
		}
	}
}

func stepEnd(e *scenario, t *testing.T, d *datadriven.TestData) {
	stamp := 0
	d.MaybeScanArgs(t, "stamp", &stamp)
	e.core.deliver(&worlds.Event{End: &worlds.End{Account: account(t, d), Stamp: worlds.Stamp(stamp), Why: "test"}})
}

func stepUp(e *scenario, _ *testing.T, _ *datadriven.TestData) {
	e.core.deliver(&worlds.Event{Up: true})
}

func stepPulse(e *scenario, t *testing.T, d *datadriven.TestData) {
	var epoch int
	d.ScanArgs(t, "epoch", &epoch)
	e.core.deliver(&worlds.Event{Pulse: &worlds.Pulse{Version: worlds.Version{Epoch: uint64(epoch)}}})
}

func stepDrain(e *scenario, _ *testing.T, _ *datadriven.TestData) { e.core.command(commandDrain) }
func stepStop(e *scenario, _ *testing.T, _ *datadriven.TestData)  { e.core.command(commandClose) }
func stepPanic(e *scenario, _ *testing.T, _ *datadriven.TestData) { e.panics = true }

// stepReturn has a login server claim a key back, for a client that reconnects.
func stepReturn(e *scenario, t *testing.T, d *datadriven.TestData) {
	_, p := e.login(t, d)
	name, key := account(t, d), srp6.SessionKey(keyOf(t, d))
	proof := worlds.Proof{Client: [16]byte{3}, Challenge: [16]byte{4}}
	proof.Digest = srp6.ReconnectProof(name.Bytes(), &proof.Client, &proof.Challenge, &key)
	if d.HasArg("as-world") {
		proof.World = true
	}
	var pass worlds.PassID
	e.draw(pass[:])
	if err := p.Claim(pass, name, e.core.self, &proof); err != nil {
		e.say("%v", err)
	}
	e.deliver()
}

// stepOffer has a login server offer a pass.
func stepOffer(e *scenario, t *testing.T, d *datadriven.TestData) {
	_, p := e.login(t, d)
	key := keyOf(t, d)
	secret := worlds.NewSecret(key[:])
	if err := p.Offer(passOf(t, d), account(t, d), 1, e.core.self, &secret); err != nil {
		t.Fatal(err)
	}
	e.deliver()
}

func stepRecall(e *scenario, t *testing.T, d *datadriven.TestData) {
	_, p := e.login(t, d)
	if err := p.Recall(passOf(t, d)); err != nil {
		e.say("%v", err)
	}
	e.deliver()
}

func passOf(t *testing.T, d *datadriven.TestData) (pass worlds.PassID) {
	var n int
	d.ScanArgs(t, "pass", &n)
	pass[0] = byte(n)
	return pass
}

// stepPresent has a client of the native protocol come with a pass and its key.
func stepPresent(e *scenario, t *testing.T, d *datadriven.TestData) {
	key := keyOf(t, d)
	e.core.present(e.core.sessionOf(handle(t, d)), passOf(t, d), func(h *held) bool {
		return bytes.Equal(h.Key().Bytes(), key[:])
	})
	e.settle()
	e.deliver()
}

func stepFull(e *scenario, _ *testing.T, d *datadriven.TestData) { e.outFull = !d.HasArg("off") }

// stepState prints the sessions, the line and what is held of secrets.
func stepState(e *scenario, _ *testing.T, _ *datadriven.TestData) {
	c := e.core
	c.each(func(s *session) { e.say("%d: %v %s", s.conn.Slot(), s.state, s.account) })
	c.line.countPositions(func(w *waiter) {
		away := ""
		if w.conn == 0 {
			away = " away"
		}
		e.say("line %d: %s class=%d%s", w.position, w.account, w.class, away)
	})
	var keys []string
	c.passes.Each(func(h *held) { keys = append(keys, fmt.Sprintf("key of %s", h.Account)) })
	slices.Sort(keys)
	for _, key := range keys {
		e.say("%s", key)
	}
	st := c.stats()
	for r, n := range st.Refused {
		if n > 0 {
			e.say("refused %v: %d", Refusal(r), n)
		}
	}
	if st.Panics > 0 {
		e.say("panics: %d", st.Panics)
	}
	e.checkCounts()
}

// checkCounts compares what is counted with what is there.
func (e *scenario) checkCounts() {
	c := e.core
	var states [StateCount]int64
	for _, s := range c.sessions {
		states[s.state]++
	}
	if st := c.stats(); st.InState != states || int64(c.inside) != states[StateInside] || c.getting != int(states[StateLocating]+states[StateClaiming]+states[StatePausing]) {
		e.say("counted %v inside=%d getting=%d, are %v", st.InState, c.inside, c.getting, states)
	}
	if c.line.present != int(states[StateWaiting]) || len(c.online) != int(states[StateWaiting]+states[StateInside]) || len(c.claims) != int(states[StateClaiming]) {
		e.say("present=%d online=%d claims=%d, are %v", c.line.present, len(c.online), len(c.claims), states)
	}
	for _, a := range c.attempts {
		if *a != (attempt{}) {
			e.say("an attempt was not wiped")
		}
	}
}
