package load

import (
	"encoding/binary"
	"sync/atomic"
	"time"

	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/codec/grunt"
	"gatepass/codec/world"

	"golang.org/x/sys/unix"
)

// moves is what a crew's engines know of the moves that they make. The leg
// begins for all of them when it is stored.
type moves struct {
	gate sockaddr
	rate float64 // of one engine, a second
	law  Arrivals
	seed uint64
	leg  atomic.Int32 // a Leg; -1: none yet
}

// mover sends an engine's held clients to a gate, and later back, by an open
// loop. It belongs to its engine.
type mover struct {
	leg      Leg
	begun    bool // the leg has
	start    time.Duration
	schedule *schedule
	next     int // the client whose turn it is
	busy     int // clients on their way
	tallies  [LegCount]*moveTally
}

// mostMoving is how many clients of an engine may be on their way at once: each
// has two connections. What is due beyond waits, and that is in its time.
const mostMoving = 4096

func newMover() mover {
	var m mover
	for leg := range m.tallies {
		m.tallies[leg] = newMoveTally()
	}
	return m
}

// due is when the next move is.
func (m *mover) due() time.Duration { return m.start + m.schedule.next() }

// mayMove tells whether a client is left to be sent.
func (e *engine) mayMove() bool {
	m := &e.mover
	return m.begun && m.next < len(e.clients) && m.busy < mostMoving && e.stop.Load() == stopNot
}

// move sends the clients that are due.
func (e *engine) move() {
	if e.o.Moves == nil {
		return
	}
	m := &e.mover
	if leg := e.o.Moves.leg.Load(); leg >= 0 && (!m.begun || Leg(leg) != m.leg) {
		o := e.o.Moves
		m.leg, m.begun, m.start, m.next = Leg(leg), true, e.now(), 0
		m.schedule = newSchedule(o.rate, o.law, o.seed+uint64(leg))
	}
	from := phaseHeld
	if m.leg == LegBack {
		from = phaseInside
	}
	for now := e.now(); e.mayMove() && m.due() <= now; now = e.now() {
		c := &e.clients[m.next]
		m.next++
		if c.phase != from {
			continue // was lost before
		}
		e.depart(c, m.start+m.schedule.take())
	}
}

// depart sends one client on its way.
func (e *engine) depart(c *client, due time.Duration) {
	e.held.Add(-1)
	e.busy++
	e.mover.busy++
	now := e.now()
	c.due, c.begun, c.since, c.deadline = due, now, now, now+e.o.Timeout
	c.got = 0
	c.generation++
	if e.mover.leg == LegBack {
		e.comeBack(c)
		return
	}
	e.knock(c)
}

// knock connects to the gate. The connection to the login server stays until the
// gate has let the client in, as a player's does.
func (e *engine) knock(c *client) {
	c.phase = phaseGateSeed
	_ = e.poll.control(unix.EPOLL_CTL_DEL, c.fd, &unix.EpollEvent{}) // or a close of it would wake us for ever
	c.login, c.fd = c.fd, -1
	gate, err := world.NewClient(uint16(e.o.Build))
	if err != nil {
		panic(err) // the options were validated
	}
	c.gate = gate
	if fault, ok := e.open(c, &e.o.Moves.gate); !ok {
		e.fail(c, fault)
		return
	}
	if errno := e.poll.add(c.fd, unix.EPOLLIN, c.token()); errno != 0 {
		e.fail(c, FaultFiles)
	}
}

// comeBack leaves the gate and connects to the login server. The server is on
// loopback, where a connection stands when connect returns.
func (e *engine) comeBack(c *client) {
	c.phase = phaseBackChallenge
	rawClose(c.fd)
	c.fd = -1
	if fault, ok := e.open(c, &e.target); !ok {
		e.fail(c, fault)
		return
	}
	e.out = e.cast.appendReconnect(e.out[:0], c.role, e.o.Build)
	if errno := e.poll.add(c.fd, unix.EPOLLIN, c.token()); errno != 0 {
		e.fail(c, FaultFiles)
		return
	}
	e.send(c, e.out)
}

// leaveLogin closes the connection to the login server that a client at a gate
// still has.
func (c *client) leaveLogin() {
	if c.login >= 0 {
		rawClose(c.login)
		c.login = -1
	}
}

// stepMove takes the answer that a client on its way waits for.
func (e *engine) stepMove(c *client) (Fault, bool) {
	switch c.phase {
	case phaseGateSeed, phaseGateAuth:
		return e.onGate(c)
	case phaseInside:
		c.got = 0 // whatever a world tells
		return noFault, true
	case phaseBackChallenge:
		return e.onReconnect(c)
	}
	return e.onBack(c)
}

// onGate takes a packet of the gate's.
func (e *engine) onGate(c *client) (Fault, bool) {
	p, n, err := c.gate.Decode(c.buf[:c.got])
	switch {
	case err == codec.ErrShort && c.got < len(c.buf):
		return noFault, true
	case err != nil:
		return FaultGarbage, false
	}
	c.got -= n
	switch {
	case c.phase == phaseGateSeed && p.Opcode == world.SMSGAuthChallenge:
		return e.onSeed(c, p.Body)
	case c.phase == phaseGateAuth && p.Opcode == world.SMSGAuthResponse:
		return e.onVerdict(c, p.Body)
	}
	return FaultGarbage, false
}

// onSeed proves to the gate that the client has the key.
func (e *engine) onSeed(c *client, body []byte) (Fault, bool) {
	challenge, err := world.ParseAuthChallenge(body, c.gate.Era())
	if err != nil {
		return FaultGarbage, false
	}
	e.moveLap(c, MoveGreeting)
	var a world.AuthSession
	a.Name, a.Build = e.cast.rosters[c.role.plan][c.role.who].name, uint16(e.o.Build)
	binary.LittleEndian.PutUint32(a.ClientSeed[:], e.cast.dice.Uint32())
	key := [40]byte(c.exchange.SessionKey())
	a.Sign(challenge.Seed, &key)
	if e.out, err = c.gate.AppendAuthSession(e.out[:0], &a, &key); err != nil {
		return FaultGarbage, false
	}
	c.phase, c.since = phaseGateAuth, e.now()
	e.send(c, e.out)
	return noFault, true
}

// onVerdict is in or out.
func (e *engine) onVerdict(c *client, body []byte) (Fault, bool) {
	r, err := world.ParseAuthResponse(body, c.gate.Era())
	if err != nil {
		return FaultGarbage, false
	}
	if r.Code != world.CodeOK {
		e.failMove(c, "gate: "+world.CodeName(r.Code))
		return noFault, true
	}
	e.arrive(c, phaseInside)
	c.leaveLogin()
	return noFault, true
}

// onReconnect proves to the login server that the client still has the key.
func (e *engine) onReconnect(c *client) (Fault, bool) {
	r, n, err := grunt.ParseReconnectChallengeReply(c.buf[:c.got])
	if fault, whole := e.judge(c, n, err); !whole {
		return fault, fault == noFault
	}
	if r.Result != codec.ResultOK {
		return FaultRefused, false
	}
	e.moveLap(c, MoveGreeting)
	key := c.exchange.SessionKey()
	a := &c.answer
	binary.LittleEndian.PutUint64(a.R1[:], e.cast.dice.Uint64())
	name := &e.cast.rosters[c.role.plan][c.role.who].name
	a.R2 = srp6.ReconnectProof(name.Bytes(), &a.R1, &r.ReconnectData, &key)
	a.R3 = srp6.ReconnectChecksum(&a.R1)
	e.out = grunt.AppendReconnectProof(e.out[:0], a)
	c.phase, c.since = phaseBackProof, e.now()
	e.send(c, e.out)
	return noFault, true
}

// onBack takes the login server's verdict.
func (e *engine) onBack(c *client) (Fault, bool) {
	r, n, err := grunt.ParseReconnectProofReply(c.buf[:c.got], grunt.ReconnectLayoutOf(e.o.Build))
	if fault, whole := e.judge(c, n, err); !whole {
		return fault, fault == noFault
	}
	if r.Result != codec.ResultOK {
		return FaultRefused, false
	}
	e.arrive(c, phaseHeld)
	return noFault, true
}

// arrive ends a move that went as planned.
func (e *engine) arrive(c *client, there phase) {
	now := e.moveLap(c, MoveProof)
	t := e.mover.tallies[e.mover.leg]
	t.done++
	t.record(MoveQueued, c.begun-c.due)
	t.record(MoveWhole, now-c.due)
	c.phase = there
	e.busy--
	e.mover.busy--
	e.held.Add(1)
	e.moved.Add(1)
}

// failMove ends a move that did not, and its client.
func (e *engine) failMove(c *client, why string) {
	e.mover.tallies[e.mover.leg].faults[why]++
	e.mover.busy--
	e.release(c)
	e.moved.Add(1)
}

// moveLap ends a part and returns the time.
func (e *engine) moveLap(c *client, p MovePart) time.Duration {
	now := e.now()
	e.mover.tallies[e.mover.leg].record(p, now-c.since)
	return now
}
