package gate

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/codec/world"
	"gatepass/deadline"
	"gatepass/worlds"
)

// The commands of a script.
var scenarioSteps = map[string]func(*scenario, *testing.T, *datadriven.TestData){
	"options": stepOptions, "login": stepLogin, "open": stepOpen, "auth": stepAuth, "closed": stepClosed,
	"bus": stepBus, "bus-once": stepBusOnce, "place": stepPlace, "come": stepCome, "packet": stepPacket, "kick": stepKick,
	"tick": stepTick, "end": stepEnd, "up": stepUp, "pulse": stepPulse, "drain": stepDrain, "stop": stepStop,
	"return": stepReturn, "offer": stepOffer, "handshake": stepHandshake, "arrive": stepArrive, "recall": stepRecall, "full": stepFull,
	"state": stepState, "panic": stepPanic, "crowd": stepCrowd,
	"ping": stepPing, "say": stepSay,
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
		case "native-builds":
			for _, raw := range arg.Vals {
				if _, err := fmt.Sscan(raw, &n); err != nil {
					t.Fatal(err)
				}
				e.options.World.NativeBuilds = append(e.options.World.NativeBuilds, uint16(n))
			}
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

// stepLogin logs an account in at a login server. "unknown" hides it from the
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
	peer := "192.0.2.1"
	d.MaybeScanArgs(t, "peer", &peer)
	protocol := codec.ProtocolWorld
	if d.HasArg("native") {
		protocol = codec.ProtocolNative
	}
	e.core.client(&codec.Message{
		Kind: codec.KindOpened, Conn: handle(t, d), Protocol: protocol,
		Peer: netip.AddrPortFrom(netip.MustParseAddr(peer), 5000),
	})
}

// stepCrowd opens connections from one address whose accounts have no key. "gone"
// closes them.
func stepCrowd(e *scenario, t *testing.T, d *datadriven.TestData) {
	var n, from int
	var peer string
	d.ScanArgs(t, "n", &n)
	d.ScanArgs(t, "from", &from)
	d.MaybeScanArgs(t, "peer", &peer)
	for conn := from; conn < from+n; conn++ {
		if d.HasArg("gone") {
			stepClosed(e, t, parseCommand(fmt.Sprintf("closed conn=%d", conn)))
			continue
		}
		stepOpen(e, t, parseCommand(fmt.Sprintf("open conn=%d peer=%s", conn, peer)))
		stepAuth(e, t, parseCommand(fmt.Sprintf("auth conn=%d name=NOBODY", conn)))
	}
	e.settle()
	e.out.Reset()
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
	if d.HasArg("violation") {
		m.Reason = codec.CloseViolation
	}
	e.core.client(&m)
}

// stepBus delivers the queued messages; "lose" loses them.
func stepBus(e *scenario, _ *testing.T, d *datadriven.TestData) {
	if d.HasArg("lose") {
		e.bus = nil
		return
	}
	e.deliver()
}

// stepBusOnce delivers only the directory's answer and the login servers' replies to
// what follows from it.
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

// stepCome runs a client's whole admission: login, connection, proof.
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

// stepTick advances the time. Before each tick the reactors close what the core has
// closed, unless "lost" prevents it. Login servers get the time too.
func stepTick(e *scenario, t *testing.T, d *datadriven.TestData) {
	for end := e.now + mustDuration(t, d.CmdArgs[0].Key).Milliseconds(); e.now < end; {
		for _, conn := range e.closing {
			if !d.HasArg("lost") {
				e.core.client(&codec.Message{Kind: codec.KindClosed, Conn: conn, Reason: codec.CloseLogic})
			}
		}
		e.closing = e.closing[:0]
		e.now += deadline.Every.Milliseconds()
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
	why := "test"
	if d.HasArg("unsaid") {
		why = ""
	}
	e.core.deliver(&worlds.Event{End: &worlds.End{Account: account(t, d), Stamp: worlds.Stamp(stamp), Why: why}})
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

// stepReturn makes a login server claim a key back for a client that reconnects.
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

func stepFull(e *scenario, _ *testing.T, d *datadriven.TestData) { e.outFull = !d.HasArg("off") }

// stepState prints the sessions, the queue and the secrets that are held.
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
	if st.Broken > 0 {
		e.say("broken: %d", st.Broken)
	}
	if st.Panics > 0 {
		e.say("panics: %d", st.Panics)
	}
	e.checkCounts()
}

// checkCounts compares the counts with the actual state.
func (e *scenario) checkCounts() {
	c := e.core
	var states [StateCount]int64
	native := int64(0)
	for _, s := range c.sessions {
		states[s.state]++
		if s.native {
			native++
		}
	}
	if n := c.stats().Native; n != native {
		e.say("counted %d native clients, are %d", n, native)
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
