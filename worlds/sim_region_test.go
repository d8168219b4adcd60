package worlds

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"gatepass/codec"
)

const (
	simLogins   = 2
	simNodes    = 5 // logins first, worlds after them
	simAccounts = 3
)

// The times of simulated nodes in milliseconds. They are short, so that a schedule has
// few steps, and have the proportions of the real ones.
const (
	simRetry    = 100
	simGiveUp   = 1000
	simValidity = 4000
	simRemember = 2*simValidity + 4*simGiveUp
)

// simOwner is what simulated nodes store with a key: its stamp, to check that both stay
// together.
type simOwner = Stamp

// simNode is a node, and its clock.
type simNode struct {
	name Node
	p    *Passes[simOwner]
	// life counts its starts. p is nil while it is down.
	life int
	// A clock shows offset + time·rate/10⁶.
	offset, rate int64
	// wake is when its next tick is due, 0 for none.
	wake int64
}

func (n *simNode) clock(now int64) int64 { return n.offset + now*n.rate/1_000_000 }

// when returns the time at which the clock shows at.
func (n *simNode) when(at int64) int64 { return ((at-n.offset)*1_000_000 + n.rate - 1) / n.rate }

// simEvent is a future event. Its kind decides which fields are used.
type simEvent struct {
	at      int64
	seq     int
	kind    simEventKind
	node    int
	from    int
	account int
	stamp   Stamp
	pass    int
	message int // index in sim.messages
}

type simEventKind uint8

const (
	simTick    simEventKind = iota
	simDeliver              // a message arrives
	simRestart              // a node comes back
	simClient               // a client acts
	simKnock                // a client connects with its pass
	simEnd                  // the directory ends an older login
	simLie                  // the hostile world acts
)

// sim is one schedule in progress.
type sim struct {
	rng *rand.Rand
	now int64
	seq int
	// step counts events. In the steps in crashes, the acting node crashes.
	step    int
	crashes [3]int
	queue   []simEvent
	nodes   [simNodes + 1]simNode // the hostile one last
	// messages are all sent messages, in order.
	messages []Move
	vouchers *Vouchers // the region's
	lies     simLies   // sim_hostile_test.go
	faults   simFaults
	// faultless is set in one run of ten.
	faultless bool
	// calm is when the last effect of a fault is over. After it everything settles
	// within a limit.
	calm int64

	// State of the clients; sim_client_test.go.
	stamp    Stamp
	accounts [simAccounts]simAccount
	passes   []simPass
	ended    map[Stamp]bool // logins whose key was dropped or replaced at its holder

	// State of the nodes; sim_check_test.go.
	views   [simNodes + 1]simView
	excused [simAccounts]bool
	failure error

	trace      func(format string, args ...any)
	sawMove    func(m *Move)
	sawOutcome func(o *Outcome[simOwner])
}

// simFaults are the possible faults, in percent of messages.
type simFaults struct {
	drop, double, slow, verySlow int
	stale, wrongProof, eager     int
}

func newSim() *sim { return &sim{ended: make(map[Stamp]bool), vouchers: testVouchers()} }

// play runs the schedule of a seed: some seconds of clients and faults, then no faults
// until everything has settled, then a last round that must succeed.
func (s *sim) play(seed uint64) error {
	s.reset(seed)
	chaos := 2000 + s.rng.Int64N(9000)
	for a := range s.accounts {
		for at := s.rng.Int64N(300); at < chaos; at += 1 + s.rng.Int64N(1500) {
			s.push(simEvent{at: at, kind: simClient, account: a})
		}
	}
	for at := s.rng.Int64N(100); s.lies.on && at < chaos; at += 1 + s.rng.Int64N(200) {
		s.push(simEvent{at: at, kind: simLie})
	}
	s.runUntil(chaos)
	s.faults, s.crashes = simFaults{}, [3]int{}
	s.calm = max(s.calm, chaos)
	bound := int64(simSettled)
	if s.lies.on { // it may offer without a commit: T asks again
		bound += simRemember
	}
	s.drain(bound)
	if s.faultless && s.failure == nil {
		s.checkAllCameOut()
	}
	if s.lies.on && s.failure == nil {
		s.checkFound()
		s.lies.on = false
	}
	s.lastRound()
	s.endAll()
	return s.failure
}

func (s *sim) reset(seed uint64) {
	*s = sim{
		rng: rand.New(rand.NewPCG(seed, 0)), queue: s.queue[:0], messages: s.messages[:0], passes: s.passes[:0], ended: s.ended, vouchers: s.vouchers,
		trace: s.trace, sawMove: s.sawMove, sawOutcome: s.sawOutcome,
	}
	clear(s.ended)
	if s.faultless = s.rng.IntN(10) == 0; !s.faultless {
		s.faults = simFaults{
			drop: s.rng.IntN(40), double: s.rng.IntN(30), slow: s.rng.IntN(30), verySlow: s.rng.IntN(10),
			stale: s.rng.IntN(30), wrongProof: s.rng.IntN(10), eager: s.rng.IntN(20),
		}
		for i := range s.rng.IntN(len(s.crashes) + 1) {
			s.crashes[i] = 1 + s.rng.IntN(400)
		}
	}
	s.resetLies()
	for i := range simNodes {
		n := &s.nodes[i]
		n.name = LoginNode(string(rune('a' + i)))
		if i >= simLogins {
			n.name = WorldNode(uint8(i))
		}
		n.offset, n.rate = 1+s.rng.Int64N(1_000_000), 990_000+s.rng.Int64N(20_001)
		s.start(i)
	}
}

// start starts a node without keys.
func (s *sim) start(i int) {
	n := &s.nodes[i]
	n.life++
	vouchers := s.vouchers
	if i >= simLogins {
		vouchers = nil
	}
	n.p = NewPasses(PassOptions[simOwner]{
		Self: n.name, Incarnation: s.rng.Uint64() | 1,
		Verify: func(h *Held[simOwner], proof *Proof) bool {
			return string(h.Key().Bytes()) == string(proof.Digest[:8])
		},
		Takes: func(from Node, _ *Move) Reason {
			if i < simLogins || from.Kind() != KindLogin {
				return ReasonForeign
			}
			if s.faults.drop > 0 && s.rng.IntN(50) == 0 {
				return ReasonBusy
			}
			return ReasonNone
		},
		// Worlds give to login servers only.
		Gives: func(to Node) bool { return i < simLogins || to.Kind() == KindLogin },
		Retry: simRetry * time.Millisecond, GiveUp: simGiveUp * time.Millisecond,
		Validity: simValidity * time.Millisecond, MaxMoves: 64, Vouchers: vouchers,
	})
	n.p.Tick(n.clock(s.now))
	n.wake = 0
}

// simKey returns the key of a login or of a pass.
func simKey(n uint64) Secret {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	return NewSecret(b[:])
}

func simName(account int) (n codec.Name) {
	n[0] = byte('A' + account)
	return n
}

func (s *sim) tell(format string, args ...any) {
	if s.trace != nil {
		s.trace("%5d %6d  %s", s.step, s.now, fmt.Sprintf(format, args...))
	}
}

// The queue of events: a heap ordered by time and then by age.

func (s *sim) push(e simEvent) {
	s.seq++
	e.seq = s.seq
	s.queue = append(s.queue, e)
	for i := len(s.queue) - 1; i > 0 && s.queue[i].before(&s.queue[(i-1)/2]); i = (i - 1) / 2 {
		s.queue[i], s.queue[(i-1)/2] = s.queue[(i-1)/2], s.queue[i]
	}
}

func (e *simEvent) before(o *simEvent) bool { return e.at < o.at || e.at == o.at && e.seq < o.seq }

func (s *sim) pop() simEvent {
	e, last := s.queue[0], len(s.queue)-1
	s.queue[0] = s.queue[last]
	s.queue = s.queue[:last]
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if s.queue[child].before(&s.queue[least]) {
				least = child
			}
		}
		if least == i {
			return e
		}
		s.queue[i], s.queue[least] = s.queue[least], s.queue[i]
		i = least
	}
}

// runUntil runs all events up to end.
func (s *sim) runUntil(end int64) {
	for s.failure == nil && len(s.queue) > 0 && s.queue[0].at < end {
		e := s.pop()
		s.now = e.at
		s.happen(&e)
	}
}

// simDown is the longest time that a crashed node is away, in milliseconds.
const simDown = 1500

// simSettled is how long after the last fault something may still be active, in
// milliseconds: a node comes back, an offer is accepted at last, its Validity+ runs, H
// asks once more. The rest is for slow ticks and clocks.
const simSettled = simDown + simGiveUp + simValidity + simValidity/16 + 2*simRetry + simGiveUp + 300

// drain runs all events and checks that they end in time.
func (s *sim) drain(bound int64) {
	for s.failure == nil && len(s.queue) > 0 {
		e := s.pop()
		s.now = e.at
		s.happen(&e)
		if s.now > s.calm+bound && (e.kind == simDeliver || s.moves() != 0) {
			s.fail("settles: still busy %d ms after the last fault", s.now-s.calm)
		}
	}
	if s.failure == nil && s.moves() != 0 {
		s.fail("settles: there are moves that nothing will end")
	}
}

// moves returns how many moves are active at all nodes.
func (s *sim) moves() (n int) {
	for i := range s.nodes {
		if p := s.nodes[i].p; p != nil {
			n += p.Moves()
		}
	}
	return n
}

// happen runs one step.
func (s *sim) happen(e *simEvent) {
	s.step++
	switch e.kind {
	case simClient:
		s.clientActs(e.account)
	case simLie:
		s.lie()
	case simRestart:
		s.tell("%s restarts", s.nodes[e.node].name)
		s.start(e.node)
		s.begin(e.node)
	case simTick:
		if n := &s.nodes[e.node]; n.p != nil && n.wake == e.at {
			n.wake = 0
			s.at(e.node, func(*Passes[simOwner]) {})
		}
	case simDeliver:
		s.deliver(e)
	case simKnock:
		s.knock(e.node, e.pass)
	case simEnd:
		s.at(e.node, func(p *Passes[simOwner]) {
			if h := p.Find(simName(e.account)); h != nil && h.Stamp == e.stamp {
				s.tell("%s ends %d", s.nodes[e.node].name, e.stamp)
				s.drop(p, e.account)
			}
		})
	}
}

func (s *sim) deliver(e *simEvent) {
	m, from := s.messages[e.message], s.nodes[e.from].name
	if s.nodes[e.node].p != nil && m.Kind == MoveOffer && m.Validity != 0 {
		s.offerArrives(e.node, &m)
	}
	s.at(e.node, func(p *Passes[simOwner]) {
		s.tell("%s ▶ %s: %s", from, s.nodes[e.node].name, simText(&m))
		p.Handle(from, &m)
	})
}

func simText(m *Move) string {
	return fmt.Sprintf("%v pass=%d %s stamp=%d hop=%d ticket=%x %v", m.Kind, simPassIndex(m.Pass), m.Account, m.Stamp, m.Hop, m.Ticket&0xffff, m.Reason)
}

// at runs an action at a node and sends its messages. If the node crashes in this step,
// it does so before the action, after it, or between two messages.
func (s *sim) at(i int, do func(p *Passes[simOwner])) {
	n := &s.nodes[i]
	if n.p == nil {
		return
	}
	crash := s.step == s.crashes[0] || s.step == s.crashes[1] || s.step == s.crashes[2]
	if crash && s.rng.IntN(4) == 0 {
		s.crash(i)
		return
	}
	n.p.Tick(n.clock(s.now))
	do(n.p)
	for _, o := range n.p.Outcomes() {
		s.tell("%s: %v pass=%d %s stamp=%d hop=%d %s %v", n.name, o.Kind, simPassIndex(o.Pass), o.Account, o.Stamp, o.Hop, o.Node, o.Reason)
		if s.sawOutcome != nil {
			s.sawOutcome(&o)
		}
		s.outcome(i, &o)
	}
	out := n.p.Outgoing()
	if crash {
		out = out[:s.rng.IntN(len(out)+1)]
	}
	for k := range out {
		s.send(i, &out[k])
	}
	if crash {
		s.crash(i)
		return
	}
	s.wakeLater(n, i)
	before := s.views[i]
	s.check(i)
	s.announceChange(i, &before)
}

// wakeLater schedules a node's tick when the node wants it, or a little later.
func (s *sim) wakeLater(n *simNode, i int) {
	first := n.p.moves.first()
	if first == nil {
		return
	}
	at := max(n.when(first.due), s.now+1)
	if s.rng.IntN(4) == 0 {
		at += s.rng.Int64N(60)
	}
	if n.wake == 0 || at < n.wake {
		n.wake = at
		s.push(simEvent{at: at, kind: simTick, node: i})
	}
}

func (s *sim) crash(i int) {
	n := &s.nodes[i]
	s.tell("%s crashes", n.name)
	for a := range s.accounts {
		s.losesKey(i, a)
	}
	n.p = nil
	s.clientsLose(i)
	s.check(i)
	s.push(simEvent{at: s.now + s.rng.Int64N(simDown), kind: simRestart, node: i})
}

// losesKey checks whether an account's key is lost with a crashing node. If no other
// node holds it, other nodes have at most pending copies. These include copies of
// failed claims, so they do not show whether the key still exists.
func (s *sim) losesKey(i, a int) {
	acc, had := &s.accounts[a], s.views[i].copy[a] == s.accounts[a].stamp
	for _, mv := range s.nodes[i].p.moves.queue {
		had = had || mv.held.Stamp == acc.stamp && mv.held.Account == simName(a) && !mv.held.key.Empty()
	}
	for j := range s.views {
		if j != i && s.views[j].copy[a] == acc.stamp {
			return
		}
	}
	acc.alive = acc.alive && !had
}

// send passes a message to the bus.
func (s *sim) send(from int, out *OutgoingMove) {
	to := s.nodeOf(out.To)
	if to < 0 {
		return
	}
	if s.sawMove != nil {
		s.sawMove(&out.Move)
	}
	if to == simLiar {
		s.liarHears(from, &out.Move)
		return
	}
	copies := 1
	if s.rng.IntN(100) < s.faults.drop {
		copies--
	}
	if s.rng.IntN(100) < s.faults.double {
		copies++
	}
	s.messages = append(s.messages, out.Move)
	for range copies {
		delay := 1 + s.rng.Int64N(8)
		if s.faultless {
			delay = 2 // and no message overtakes another
		}
		if s.rng.IntN(100) < s.faults.slow {
			delay = s.rng.Int64N(simGiveUp)
		}
		if s.rng.IntN(100) < s.faults.verySlow {
			delay = s.rng.Int64N(2 * simRemember)
		}
		s.calm = max(s.calm, s.now+delay)
		s.push(simEvent{at: s.now + delay, kind: simDeliver, from: from, node: to, message: len(s.messages) - 1})
	}
}

func (s *sim) nodeOf(name Node) int {
	for i := range s.nodes {
		if s.nodes[i].name == name {
			return i
		}
	}
	return -1
}
