package engine

import (
	"encoding/binary"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/codec/grunt"
	"gatepass/codec/world"
	"gatepass/perf/load/internal/counts"
	"gatepass/perf/load/internal/loop"
)

// Moves lets the held clients of all engines move. Its methods may be called from any
// goroutine.
type Moves struct {
	gate    loop.Sockaddr
	rate    float64 // of one engine, a second
	poisson bool
	seed    uint64
	leg     atomic.Int32 // a Leg; -1: none yet
}

// MovesOptions configures moves.
type MovesOptions struct {
	Gate netip.AddrPort
	// Rate is the moves a second of one engine, with exponential gaps for Poisson and equal
	// ones otherwise.
	Rate    float64
	Poisson bool
	Seed    uint64
}

// NewMoves makes moves of which no leg has begun.
func NewMoves(o MovesOptions) *Moves {
	m := &Moves{gate: loop.NewSockaddr(o.Gate), rate: o.Rate, poisson: o.Poisson, seed: o.Seed}
	m.leg.Store(-1)
	return m
}

// Begin starts a leg in all engines.
func (m *Moves) Begin(leg counts.Leg) { m.leg.Store(int32(leg)) }

// mover moves an engine's held clients to a gate, and later back, in an open loop. Only
// the goroutine of its engine may use it.
type mover struct {
	leg      counts.Leg
	begun    bool // a leg has begun
	start    time.Duration
	schedule *schedule
	next     int // slot of the next client to move
	busy     int // clients that are moving
	counts   [counts.LegCount]*counts.Moves
}

// MaxMoving is how many clients of an engine may move at once, because each has two
// connections meanwhile. Other moves that are due wait, and their time includes the wait.
const MaxMoving = 4096

func newMover() mover {
	var m mover
	for leg := range m.counts {
		m.counts[leg] = counts.NewMoves()
	}
	return m
}

// due returns when the next move is due.
func (m *mover) due() time.Duration { return m.start + m.schedule.next() }

// mayMove reports whether another client may start to move.
func (e *Engine) mayMove() bool {
	m := &e.mover
	return m.begun && m.next < len(e.clients) && m.busy < MaxMoving && e.stop.Load() == StopNot
}

// move starts the moves that are due.
func (e *Engine) move() {
	if e.o.Moves == nil {
		return
	}
	m := &e.mover
	if leg := e.o.Moves.leg.Load(); leg >= 0 && (!m.begun || counts.Leg(leg) != m.leg) {
		o := e.o.Moves
		m.leg, m.begun, m.start, m.next = counts.Leg(leg), true, e.now(), 0
		m.schedule = newSchedule(o.rate, o.poisson, o.seed+uint64(leg))
	}
	from := phaseHeld
	if m.leg == counts.LegBack {
		from = phaseInside
	}
	for now := e.now(); e.mayMove() && m.due() <= now; now = e.now() {
		c := &e.clients[m.next]
		m.next++
		if c.phase != from {
			continue // its connection ended before
		}
		e.startMove(c, m.start+m.schedule.take())
	}
}

// startMove starts the move of one client.
func (e *Engine) startMove(c *client, due time.Duration) {
	e.held.Add(-1)
	e.busy++
	e.mover.busy++
	now := e.now()
	c.due, c.begun, c.since, c.deadline = due, now, now, now+e.o.Timeout
	c.got = 0
	c.generation++
	if e.mover.leg == counts.LegBack {
		e.reconnect(c)
		return
	}
	e.connectGate(c)
}

// connectGate connects to the gate. The connection to the login server stays open until the
// gate has accepted the client, as with a real client.
func (e *Engine) connectGate(c *client) {
	c.phase = phaseGateSeed
	e.poll.Remove(c.fd) // otherwise its close would wake the loop again and again
	c.login, c.fd = c.fd, -1
	gate, err := world.NewClient(uint16(e.o.Build))
	if err != nil {
		panic(err) // the build was validated
	}
	c.gate = gate
	if fault, ok := e.open(c, &e.o.Moves.gate); !ok {
		e.fail(c, fault)
		return
	}
	if errno := e.poll.Add(c.fd, unix.EPOLLIN, c.token()); errno != 0 {
		e.fail(c, counts.FaultFiles)
	}
}

// reconnect leaves the gate and connects to the login server. The server is on loopback,
// where the connection is established when connect returns.
func (e *Engine) reconnect(c *client) {
	c.phase = phaseBackChallenge
	loop.Close(c.fd)
	c.fd = -1
	if fault, ok := e.open(c, &e.target); !ok {
		e.fail(c, fault)
		return
	}
	e.out = e.accounts.AppendReconnect(e.out[:0], c.attempt, e.o.Build)
	if errno := e.poll.Add(c.fd, unix.EPOLLIN, c.token()); errno != 0 {
		e.fail(c, counts.FaultFiles)
		return
	}
	e.send(c, e.out)
}

// leaveLogin closes the connection to the login server that the client keeps during its
// move to a gate.
func (c *client) leaveLogin() {
	if c.login >= 0 {
		loop.Close(c.login)
		c.login = -1
	}
}

// stepMove processes the answer that a moving client waits for.
func (e *Engine) stepMove(c *client) (counts.Fault, bool) {
	switch c.phase {
	case phaseGateSeed, phaseGateAuth:
		return e.onGate(c)
	case phaseInside:
		c.got = 0 // messages of the world do not matter
		return noFault, true
	case phaseBackChallenge:
		return e.onReconnect(c)
	}
	return e.onBack(c)
}

// onGate processes a packet from the gate.
func (e *Engine) onGate(c *client) (counts.Fault, bool) {
	p, n, err := c.gate.Decode(c.buf[:c.got])
	switch {
	case err == codec.ErrShort && c.got < len(c.buf):
		return noFault, true
	case err != nil:
		return counts.FaultGarbage, false
	}
	c.got -= n
	switch {
	case c.phase == phaseGateSeed && p.Opcode == world.SMSGAuthChallenge:
		return e.onSeed(c, p.Body)
	case c.phase == phaseGateAuth && p.Opcode == world.SMSGAuthResponse:
		return e.onVerdict(c, p.Body)
	}
	return counts.FaultGarbage, false
}

// onSeed answers the gate's challenge with the proof of the session key.
func (e *Engine) onSeed(c *client, body []byte) (counts.Fault, bool) {
	challenge, err := world.ParseAuthChallenge(body, c.gate.Era())
	if err != nil {
		return counts.FaultGarbage, false
	}
	e.moveLap(c, counts.MoveGreeting)
	var a world.AuthSession
	a.Name, a.Build = *e.accounts.CodecName(c.attempt), uint16(e.o.Build)
	binary.LittleEndian.PutUint32(a.ClientSeed[:], e.accounts.Random.Uint32())
	key := [40]byte(c.exchange.SessionKey())
	a.Sign(challenge.Seed, &key)
	if e.out, err = c.gate.AppendAuthSession(e.out[:0], &a, &key); err != nil {
		return counts.FaultGarbage, false
	}
	c.phase, c.since = phaseGateAuth, e.now()
	e.send(c, e.out)
	return noFault, true
}

// onVerdict processes the gate's result.
func (e *Engine) onVerdict(c *client, body []byte) (counts.Fault, bool) {
	r, err := world.ParseAuthResponse(body, c.gate.Era())
	if err != nil {
		return counts.FaultGarbage, false
	}
	if r.Code != world.CodeOK {
		e.failMove(c, "gate: "+world.CodeName(r.Code))
		return noFault, true
	}
	e.arrive(c, phaseInside)
	c.leaveLogin()
	return noFault, true
}

// onReconnect answers the login server's challenge with the proof of the session key.
func (e *Engine) onReconnect(c *client) (counts.Fault, bool) {
	r, n, err := grunt.ParseReconnectChallengeReply(c.buf[:c.got])
	if fault, whole := e.takeWhole(c, n, err); !whole {
		return fault, fault == noFault
	}
	if r.Result != codec.ResultOK {
		return counts.FaultRefused, false
	}
	e.moveLap(c, counts.MoveGreeting)
	key := c.exchange.SessionKey()
	a := &c.answer
	binary.LittleEndian.PutUint64(a.R1[:], e.accounts.Random.Uint64())
	name := e.accounts.CodecName(c.attempt)
	a.R2 = srp6.ReconnectProof(name.Bytes(), &a.R1, &r.ReconnectData, &key)
	a.R3 = srp6.ReconnectChecksum(&a.R1)
	e.out = grunt.AppendReconnectProof(e.out[:0], a)
	c.phase, c.since = phaseBackProof, e.now()
	e.send(c, e.out)
	return noFault, true
}

// onBack processes the login server's result.
func (e *Engine) onBack(c *client) (counts.Fault, bool) {
	r, n, err := grunt.ParseReconnectProofReply(c.buf[:c.got], grunt.ReconnectLayoutOf(e.o.Build))
	if fault, whole := e.takeWhole(c, n, err); !whole {
		return fault, fault == noFault
	}
	if r.Result != codec.ResultOK {
		return counts.FaultRefused, false
	}
	e.arrive(c, phaseHeld)
	return noFault, true
}

// arrive completes a move.
func (e *Engine) arrive(c *client, there phase) {
	now := e.moveLap(c, counts.MoveProof)
	t := e.mover.counts[e.mover.leg]
	t.Done++
	t.Record(counts.MoveQueued, c.begun-c.due)
	t.Record(counts.MoveWhole, now-c.due)
	c.phase = there
	e.busy--
	e.mover.busy--
	e.held.Add(1)
	e.moved.Add(1)
}

// failMove counts a failed move and ends its client.
func (e *Engine) failMove(c *client, why string) {
	e.mover.counts[e.mover.leg].Faults[why]++
	e.mover.busy--
	e.release(c)
	e.moved.Add(1)
}

// moveLap records the time of the part that ends now, and returns the current time.
func (e *Engine) moveLap(c *client, p counts.MovePart) time.Duration {
	now := e.now()
	e.mover.counts[e.mover.leg].Record(p, now-c.since)
	return now
}
