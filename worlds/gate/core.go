package gate

import (
	"errors"
	"fmt"
	"net/netip"

	"gatepass/codec"
	"gatepass/deadline"
	"gatepass/guard"
	"gatepass/worlds"
)

// core is the machine: messages in, effects out. It is unsafe for concurrent
// use; all of it but the counters belongs to the logic goroutine.
type core struct {
	// static after construction
	options Options
	self    worlds.Node
	ports   ports

	// now is the time of the last tick.
	now int64
	// draining lets nobody in any more; drained was told.
	draining, drained bool

	sessions map[codec.Conn]*session
	attempts []*attempt // free ones
	// getting is how many sessions are getting their keys.
	getting int
	// crowds is how many of them there are by network.
	crowds guard.Counts[netip.Prefix]
	// claims are the sessions that wait for a key to come, by its pass.
	claims map[worlds.PassID]codec.Conn
	passes *worlds.Passes[holding]
	// online are the connections that play or wait, by account: one an account.
	online map[codec.Name]codec.Conn
	line   line
	// inside is how many players are in.
	inside int

	deadlines deadline.Wheel[codec.Conn]
	graces    deadline.Wheel[codec.Name] // of keys
	absences  deadline.Wheel[codec.Name] // of places in line

	// nextPositions is when those in line are told how far they are, and
	// turn from which position on it is the turn of those behind.
	nextPositions int64
	turn          uint32
	moved         []*waiter // scratch
	// unannounced are the accounts whose keys are to be announced anew, epoch the
	// last leading manager's.
	unannounced []codec.Name
	epoch       uint64

	outcomes []worlds.Outcome[holding] // not acted on yet
	// effects of this round, submitted by flush
	effects []worlds.Effect
	moves   []worlds.OutgoingMove // what effects point to
	closes  []codec.Conn          // closes that found no room yet

	count counters
}

// newCore makes a machine. Its first message must be a tick. The options have
// their defaults.
func newCore(o Options, p ports) (*core, error) {
	if err := errors.Join(o.coreFaults()...); err != nil {
		return nil, fmt.Errorf("gate: %w", err)
	}
	c := &core{
		options: o, self: worlds.WorldNode(o.World.ID), ports: p, line: newLine(),
		sessions: make(map[codec.Conn]*session), claims: make(map[worlds.PassID]codec.Conn),
		online: make(map[codec.Name]codec.Conn), crowds: make(guard.Counts[netip.Prefix]),
	}
	c.passes = worlds.NewPasses(worlds.PassOptions[holding]{
		Self: c.self, Incarnation: o.World.Incarnation, MaxMoves: o.maxMoves(),
		Verify: verifyReturn, Takes: c.takes, Gives: gives,
	})
	return c, nil
}

// tick tells the time, in milliseconds of a clock that never goes back. Deadlines
// are looked at here and nowhere else.
func (c *core) tick(now int64) {
	if now <= c.now {
		return
	}
	c.now = now
	c.passes.Tick(now)
	c.settle()
	c.deadlines.Advance(now, c.expire)
	c.graces.Advance(now, c.expireKey)
	c.absences.Advance(now, c.expirePlace)
	c.announceSome()
	if now >= c.nextPositions {
		c.nextPositions = now + positionsEvery.Milliseconds()
		c.tellPositions()
	}
}

// client takes a message of a client or, about one, of its reactor.
func (c *core) client(m *codec.Message) {
	switch m.Kind {
	case codec.KindOpened:
		c.opened(m)
		return
	case codec.KindClosed:
		if s := c.sessionOf(m.Conn); s != nil {
			c.closed(s, m.Reason)
		}
		return
	}
	s := c.sessionOf(m.Conn)
	switch {
	case s == nil || s.state == StateLeaving || s.state == StateRefusing:
		// said before it could know that it was refused
	case m.Kind == codec.KindWorldAuth && s.state == StateConnected:
		c.introduced(s, &m.World.Auth)
	case m.Kind == codec.KindWorldPacket && s.state == StateInside:
		c.heard(s)
		c.count.packets.Add(1)
		c.callPacket(s, m.World.Opcode, m.World.Body)
	case m.Kind == codec.KindWorldPacket && s.state == StateWaiting:
		c.heardInLine(s, m.World)
	case s.native: // whose codec makes none of those
		c.nativeSaid(s, m)
	default:
		c.turnAway(s, RefusalOutOfPlace)
	}
}

// opened greets a new connection.
func (c *core) opened(m *codec.Message) {
	s := &session{conn: m.Conn, native: m.Protocol == codec.ProtocolNative}
	c.sessions[s.conn] = s
	a := c.beginAttempt(s)
	a.network = guard.Network(m.Peer.Addr())
	c.countNative(s, +1)
	c.enterState(s, StateConnected)
	switch {
	case c.draining:
		c.turnAway(s, RefusalDraining)
	case s.native:
		c.challengeNative(s)
	default:
		c.challenge(s)
	}
}

// challenge greets a client that comes with its account's key.
func (c *core) challenge(s *session) {
	w := new(codec.WorldReply)
	c.ports.random(w.Seed[:])
	c.ports.random(w.Random[:])
	s.attempt.proof = worlds.Proof{World: true, ServerSeed: w.Seed}
	c.send(s, codec.ReplyWorldChallenge, w)
}

// closed forgets a session whose connection is gone.
func (c *core) closed(s *session, reason codec.CloseReason) {
	if s.why == LeftDisconnected {
		s.why = leftBy[reason]
	}
	c.countNative(s, -1)
	if s.native && s.proven && reason == codec.CloseViolation {
		c.count.broken.Add(1)
	}
	c.leaveState(s)
	c.endAttempt(s)
	delete(c.sessions, s.conn)
	c.release(s)
	c.fill()
}

// leftBy says what a reactor's reason is to the game.
var leftBy = [codec.CloseReasonCount]LeftReason{
	codec.CloseSlow: LeftOverload, codec.CloseFlood: LeftOverload, codec.CloseOverload: LeftOverload,
	codec.CloseFault: LeftFault,
}

// deliver takes what the bus brings. What e points to is ours.
func (c *core) deliver(e *worlds.Event) {
	switch {
	case e.Move != nil:
		c.passes.Handle(e.From, e.Move)
		e.Move.Key.Wipe()
		c.settle()
	case e.Place != nil:
		c.located(e.Place)
	case e.End != nil:
		c.ended(e.End)
	case e.Pulse != nil:
		if e.Pulse.Version.Epoch != c.epoch {
			c.epoch = e.Pulse.Version.Epoch
			c.announceAll()
		}
	case e.Up:
		c.announceAll()
	}
}

// posted takes what the game wants for a player.
func (c *core) posted(p *post) {
	s := c.sessionOf(p.conn)
	switch {
	case s == nil || s.state != StateInside:
		c.count.postsLate.Add(1)
	case p.kick:
		c.sendAway(s, LeftKicked)
	case s.native:
		c.reply(s, &codec.Reply{Kind: codec.ReplyGamePacket, Native: &codec.NativeReply{Opcode: p.opcode, Body: p.body}})
	default:
		c.send(s, codec.ReplyWorldPacket, &codec.WorldReply{Opcode: p.opcode, Body: p.body})
	}
}

// flush submits everything that this round has gathered.
func (c *core) flush() {
	c.settle()
	c.collectMoves()
	if len(c.effects) > 0 {
		c.ports.region.Submit(c.effects)
	}
	for i := range c.moves {
		c.moves[i].Move.Key.Wipe()
	}
	clear(c.effects)
	c.effects, c.moves = c.effects[:0], c.moves[:0]
	for len(c.closes) > 0 && c.ports.out.Close(c.closes[0], codec.CloseOverload) {
		c.closes = c.closes[1:]
	}
	c.ports.out.Flush()
}
