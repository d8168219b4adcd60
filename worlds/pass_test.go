package worlds

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"gatepass/codec"
)

// TestPass_Scenarios runs the scripts in testdata/pass, one file per path of a pass:
// two login servers and two worlds, whose messages wait until the script delivers,
// repeats or loses them. A command prints everything that it causes. -rewrite updates
// the expected output.
func TestPass_Scenarios(t *testing.T) {
	datadriven.Walk(t, "testdata/pass", func(t *testing.T, path string) {
		env := newPassEnv()
		datadriven.RunTest(t, path, env.run)
	})
}

// passEnv is a region of four nodes and the messages between them.
type passEnv struct {
	out   bytes.Buffer
	now   int64
	names []Node
	nodes map[Node]*Passes[string]
	lives uint64
	// waiting are the messages that were sent but not delivered, by number.
	waiting []passMessage
	sent    int
	most    int // limit of active moves at a node

}

type passMessage struct {
	number int
	from   Node
	OutgoingMove
}

func newPassEnv() *passEnv {
	e := &passEnv{now: 1000, nodes: make(map[Node]*Passes[string]), names: []Node{"login.a", "login.b", "world.1", "world.2"}}
	for _, name := range e.names {
		e.start(name)
	}
	return e
}

// start starts a node without keys. World 2 is full.
func (e *passEnv) start(name Node) {
	e.lives++
	o := PassOptions[string]{
		Self: name, Incarnation: 100 * e.lives, MaxMoves: e.most,
		Verify: func(h *Held[string], proof *Proof) bool {
			return string(h.Key().Bytes()) == string(proof.Digest[:8])
		},
		Gives: func(to Node) bool { return name.Kind() == KindLogin || to.Kind() == KindLogin },
	}
	if name.Kind() == KindLogin {
		o.Vouchers = testVouchers()
	}
	if name.Kind() == KindWorld {
		o.Takes = func(from Node, m *Move) Reason {
			if from.Kind() != KindLogin {
				return ReasonForeign
			}
			if name == "world.2" {
				return ReasonFull
			}
			return ReasonNone
		}
	}
	e.nodes[name] = NewPasses(o)
	e.nodes[name].Tick(e.now)
}

// passArgs are the arguments of a command.
type passArgs struct {
	node, to string
	pass     int
	account  string
	stamp    int
	ms       int
	n        int
	proof    string
}

func parsePassArgs(t *testing.T, d *datadriven.TestData) (a passArgs) {
	a.account = "A"
	for _, arg := range d.CmdArgs {
		switch arg.Key {
		case "node":
			arg.Scan(t, 0, &a.node)
		case "to", "holder":
			arg.Scan(t, 0, &a.to)
		case "pass":
			arg.Scan(t, 0, &a.pass)
		case "account":
			arg.Scan(t, 0, &a.account)
		case "stamp":
			arg.Scan(t, 0, &a.stamp)
		case "ms", "most":
			arg.Scan(t, 0, &a.ms)
		case "n":
			arg.Scan(t, 0, &a.n)
		case "proof":
			arg.Scan(t, 0, &a.proof)
		default:
			d.Fatalf(t, "no such argument: %s", arg.Key)
		}
	}
	return a
}

func (a *passArgs) name() codec.Name {
	n, _ := codec.NameOf(a.account)
	return n
}

func (e *passEnv) say(format string, args ...any) { fmt.Fprintf(&e.out, format+"\n", args...) }

func (e *passEnv) err(err error) {
	if err != nil {
		e.say("error: %v", err)
	}
}

func (e *passEnv) run(t *testing.T, d *datadriven.TestData) string {
	e.out.Reset()
	a := parsePassArgs(t, d)
	p := e.nodes[Node(a.node)]
	switch d.Cmd {
	case "tick":
		e.tick(int64(a.ms))
	case "deliver":
		e.deliver(a.n)
	case "double":
		e.double(a.n)
	case "lose":
		e.lose(a.n)
	case "crash":
		e.start(Node(a.node))
	case "most":
		e.most = a.ms
		for _, name := range e.names {
			e.start(name)
		}
	default:
		if p == nil {
			d.Fatalf(t, "no such command, or no such node")
		}
		e.act(t, d, p, a)
	}
	e.collect()
	return e.out.String()
}

// act runs a command at one node.
func (e *passEnv) act(t *testing.T, d *datadriven.TestData, p *Passes[string], a passArgs) {
	id, key := simPassID(a.pass), simKey(uint64(a.stamp))
	switch d.Cmd {
	case "hold":
		h, older := p.Hold(a.name(), Stamp(a.stamp), &key)
		if h.Owner = fmt.Sprintf("client-%d", a.stamp); older != nil {
			e.say("older owner: %s", *older)
		}
	case "drop":
		p.Drop(a.name())
	case "claim":
		if a.proof == "wrong" {
			key = simKey(999)
		}
		var proof Proof
		copy(proof.Digest[:], key.Bytes())
		e.err(p.Claim(id, a.name(), Node(a.to), &proof))
	case "abandon":
		p.Abandon(id)
	case "offer":
		e.err(p.Offer(id, a.name(), Stamp(a.stamp), Node(a.to), &key))
	case "recall":
		e.err(p.Recall(id))
	case "use":
		h, err := p.Use(id)
		if e.err(err); err == nil {
			e.say("used: %v", h)
		}
	case "state":
		e.state(p, a)
	default:
		d.Fatalf(t, "no such command")
	}
}

// state prints what a node knows of an account and a pass.
func (e *passEnv) state(p *Passes[string], a passArgs) {
	e.say("keys=%d moves=%d", p.Len(), p.Moves())
	if h := p.Find(a.name()); h != nil {
		e.say("account: %v accepted=%t owner=%s", h, h.Key() != nil, h.Owner)
	}
	if h := p.Pass(simPassID(a.pass)); a.pass != 0 && h != nil {
		e.say("pass: %v", h)
	}
}

func (e *passEnv) tick(ms int64) {
	e.now += ms
	for _, name := range e.names {
		e.nodes[name].Tick(e.now)
	}
}

// deliver delivers message n, or all waiting messages and those that follow from them.
func (e *passEnv) deliver(n int) {
	for at := 0; at < len(e.waiting); {
		m := e.waiting[at]
		if n != 0 && m.number != n {
			at++
			continue
		}
		e.waiting = append(e.waiting[:at:at], e.waiting[at+1:]...)
		e.say("#%d arrives at %s", m.number, m.To)
		e.nodes[m.To].Handle(m.from, &m.Move)
		e.collect()
		if n != 0 {
			return
		}
	}
	if n != 0 {
		e.say("#%d does not wait", n)
	}
}

// double repeats message n, which must be waiting.
func (e *passEnv) double(n int) {
	for _, m := range e.waiting {
		if m.number == n {
			e.waiting = append(e.waiting, m)
			return
		}
	}
	e.say("#%d does not wait", n)
}

// lose loses message n, or all waiting messages.
func (e *passEnv) lose(n int) {
	kept := e.waiting[:0]
	for _, m := range e.waiting {
		if n != 0 && m.number != n {
			kept = append(kept, m)
		}
	}
	e.waiting = kept
}

// collect prints the outcomes and queues the messages.
func (e *passEnv) collect() {
	for _, name := range e.names {
		for _, o := range e.nodes[name].Outcomes() {
			e.say("%s: %v", name, passText(o))
		}
	}
	for _, name := range e.names {
		for _, m := range e.nodes[name].Outgoing() {
			e.sent++
			e.say("#%d %s ▶ %s: %s", e.sent, name, m.To, moveText(&m.Move))
			e.waiting = append(e.waiting, passMessage{e.sent, name, m})
		}
	}
}

func passText(o Outcome[string]) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v %s stamp=%d hop=%d", o.Kind, o.Account, o.Stamp, o.Hop)
	if o.Pass != (PassID{}) {
		fmt.Fprintf(&b, " pass=%d with %s", simPassIndex(o.Pass), o.Node)
	}
	if o.Reason != ReasonNone {
		fmt.Fprintf(&b, " (%v)", o.Reason)
	}
	if o.Owner != "" {
		fmt.Fprintf(&b, " owner=%s", o.Owner)
	}
	return b.String()
}

func moveText(m *Move) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v pass=%d %s stamp=%d hop=%d", m.Kind, simPassIndex(m.Pass), m.Account, m.Stamp, m.Hop)
	if m.Ticket != 0 {
		fmt.Fprintf(&b, " ticket=%d", m.Ticket)
	}
	if !m.Key.Empty() {
		b.WriteString(" key")
	}
	if m.Validity != 0 {
		fmt.Fprintf(&b, " validity=%dms", m.Validity)
	}
	if m.Reason != ReasonNone {
		fmt.Fprintf(&b, " (%v)", m.Reason)
	}
	return b.String()
}
