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

// core is the state machine: messages in, effects out. It is not safe for concurrent
// use. Everything except the counters belongs to the logic goroutine.
type core struct {
	// static after construction
	options Options
	self    worlds.Node
	ports   ports

	// now is the time of the last tick.
	now int64
	// draining: no client is admitted. drained: the drained port was called.
	draining, drained bool

	sessions map[codec.Conn]*session
	attempts []*attempt // for reuse
	// getting counts the sessions that are getting their keys.
	getting int
	// crowds counts them by network.
	crowds guard.Counts[netip.Prefix]
	// claims maps the pass of each active claim to the session that waits for it.
	claims map[worlds.PassID]codec.Conn
	passes *worlds.Passes[holding]
	// online maps each account to its connection in the world or in the queue.
	online map[codec.Name]codec.Conn
	line   line
	// inside counts the players in the world.
	inside int

	deadlines deadline.Wheel[codec.Conn]
	graces    deadline.Wheel[codec.Name] // expiry of keys
	absences  deadline.Wheel[codec.Name] // expiry of places in the queue

	// nextPositions is when the next positions are sent. turn is the first position
	// after the front of the queue that is sent then.
	nextPositions int64
	turn          uint32
	moved         []*waiter // scratch
	// unannounced are the accounts whose keys must be announced again. epoch is that of
	// the last leading manager.
	unannounced []codec.Name
	epoch       uint64

	outcomes []worlds.Outcome[holding] // not handled yet
	// effects of this round, submitted by flush
	effects []worlds.Effect
	moves   []worlds.OutgoingMove // referenced by effects
	closes  []codec.Conn          // without room so far, to retry

	count counters
}

// newCore returns a core. The first call on it must be tick. The options must have
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

// tick passes in the time, in milliseconds of a monotonic clock. Only tick checks
// deadlines.
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

// client handles a message of a client, or of its reactor about a client.
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
		// sent before the client could know of its refusal
	case m.Kind == codec.KindWorldAuth && s.state == StateConnected:
		c.introduced(s, &m.World.Auth)
	case m.Kind == codec.KindWorldPacket && s.state == StateInside:
		c.heard(s)
		c.count.packets.Add(1)
		c.callPacket(s, m.World.Opcode, m.World.Body)
	case m.Kind == codec.KindWorldPacket && s.state == StateWaiting:
		c.heardInLine(s, m.World)
	case s.native: // its codec makes none of the kinds below
		c.nativeSaid(s, m)
	default:
		c.turnAway(s, RefusalOutOfPlace)
	}
}

// opened sends the challenge to a new connection.
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

// challenge sends the challenge to a existing client.
func (c *core) challenge(s *session) {
	w := new(codec.WorldReply)
	c.ports.random(w.Seed[:])
	c.ports.random(w.Random[:])
	s.attempt.proof = worlds.Proof{World: true, ServerSeed: w.Seed}
	c.send(s, codec.ReplyWorldChallenge, w)
}

// closed removes the session of a closed connection.
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

// leftBy maps a reactor's close reason to the reason for the game.
var leftBy = [codec.CloseReasonCount]LeftReason{
	codec.CloseSlow: LeftOverload, codec.CloseFlood: LeftOverload, codec.CloseOverload: LeftOverload,
	codec.CloseFault: LeftFault,
}

// deliver handles an event of the bus. The core owns what e points to.
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

// posted handles a request of the game for a player.
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

// flush submits the effects of this round.
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
