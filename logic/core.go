package logic

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"gatepass/auth"
	"gatepass/codec"
	"gatepass/guard"
	"gatepass/logic/factor"
	"gatepass/storage"
	"gatepass/worlds"
)

// Ports are what the logic acts on.
type Ports struct {
	Out    Outbox
	Store  Store
	Prover Prover
	Worlds WorldList
	// Region and Bus are nil for a login server that is alone.
	Region Region
	Bus    Bus
}

// Core is the machine: messages in, effects out. It holds the sessions and takes them from
// state to state. Everything else is in parts, each with data of its own. It is unsafe for
// concurrent use; all of it but Stats belongs to the logic goroutine.
type Core struct {
	// static after construction
	options Options
	ports   Ports

	clock
	counters
	sessions sessionTable
	service  service

	rules     rules
	signals   signals
	effects   effects
	timers    timers
	directory directory
	keys      keyring
	claims    claims
	pool      keyPool
	selection selection
	push      push
	updates   updateQueue
	bans      addressBans
	factors   factor.Checker
	removals  removals
	decoys    decoys
	returns   returns
	operator  operator
	region    region

	// reply is the one that is being sent: a field, so that passing its address
	// allocates nothing.
	reply codec.Reply
}

// NewCore makes a machine. Its first message must be a tick.
func NewCore(o Options, p Ports) (*Core, error) {
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("logic: %w", err)
	}
	alone := p.Region == nil
	if alone {
		p.Region, p.Bus = noRegion{}, noRegion{}
	}
	c := &Core{options: o, ports: p, service: service{versions: o.Versions}}
	c.options.Versions = nil // a command replaces those of the start, and then nothing keeps them
	c.plug(alone)
	c.bans.load()
	return c, nil
}

// plug makes the parts, and gives each what it uses of the others.
func (c *Core) plug(alone bool) {
	o, p := &c.options, &c.ports
	b := base{options: &c.options, clock: &c.clock, effects: &c.effects, count: &c.counters}
	c.effects = effects{store: p.Store, prover: p.Prover, out: p.Out, clock: &c.clock, count: &c.counters}
	c.timers = timers{base: b, desk: c}
	c.directory = directory{base: b, bus: p.Bus, alone: alone}
	c.keys = newKeyring(b, &c.directory)
	c.claims = claims{base: b, desk: c, rules: &c.rules, keys: &c.keys, directory: &c.directory, pool: &c.pool, timers: &c.timers, alone: alone, of: make(map[worlds.PassID]codec.Conn)}
	c.pool = keyPool{base: b}
	c.selection = selection{base: b, desk: c, rules: &c.rules, keys: &c.keys, pool: &c.pool, worlds: p.Worlds, alone: alone,
		offered: make(map[worlds.PassID]codec.Conn), inWorld: make(map[codec.Name]codec.Conn)}
	c.push = push{base: b, desk: c, out: p.Out, worlds: p.Worlds, region: p.Region}
	c.updates = updateQueue{base: b, desk: c, timers: &c.timers, out: p.Out, of: make(map[storage.Name]codec.Conn)}
	c.bans = addressBans{base: b}
	c.factors = factor.NewChecker()
	c.removals = removals{base: b, open: make(map[uint64]*removal)}
	c.decoys = newDecoys(b, alone)
	c.returns = returns{base: b, networks: guard.NewRates()}
	c.rules = rules{c: c, list: o.Rules, refused: make([]atomic.Uint64, len(o.Rules))}
	c.signals = signals{base: b, slots: defaultSlots(), audit: o.Logger.Enabled(context.Background(), slog.LevelDebug)}
	c.operator = operator{base: b, desk: c, service: &c.service, bans: &c.bans, decoys: &c.decoys, keys: &c.keys, directory: &c.directory, push: &c.push}
	c.region = region{base: b, desk: c, copy: p.Region, keys: &c.keys, directory: &c.directory, decoys: &c.decoys,
		claims: &c.claims, selection: &c.selection, push: &c.push, operator: &c.operator}
}

// tick takes the time. Deadlines are looked at here and nowhere else. Ticks come every
// TickEvery at least, and may come more often (see Pace): between whole ticks only what is
// overdue goes on.
func (c *Core) tick(now, wall int64) {
	c.wall = wall
	c.removals.again()
	c.bans.retry()
	if now <= c.now {
		return
	}
	late := now-c.now > tickLate.Milliseconds()
	c.now = now
	c.decoys.keepAgain()
	if now >= c.whole {
		c.whole = now - now%TickEvery.Milliseconds() + TickEvery.Milliseconds()
		c.wholeTick()
	}
	if !late {
		c.timers.endOverdue()
	}
	c.region.settle()
}

// wholeTick does what is done every TickEvery.
func (c *Core) wholeTick() {
	c.factors.Tick(c.now, c.wall)
	c.timers.advance()
	c.keys.tick()
	c.directory.forgetEnds()
	c.keys.announceSome()
	c.region.tick()
	c.push.tick()
	c.updates.tellPlaces()
}

// opened makes the session of a new connection.
func (c *Core) opened(m *codec.Message) {
	if old := c.sessions.inSlot(m.Conn); old != nil {
		c.remove(old) // the message that it is closed was lost; nothing of it may stay
	}
	s := c.sessions.open(m.Conn)
	s.peer, s.protocol = m.Peer.Addr(), m.Protocol
	if s.protocol == codec.ProtocolNative {
		s.native = new(nativeSession)
	}
	c.enter(s, StateConnected)
	if c.service.draining {
		c.end(s, endDrained)
	}
}

// remove takes a session out of the table whose connection is closed.
func (c *Core) remove(s *session) {
	states[s.state].Leave(c, s)
	c.counters.inState[s.state].Add(-1)
	c.keys.release(s, s.dialect().closed(c, s).Milliseconds())
	c.sessions.close(s)
}

// session returns the session of a connection, or nil.
func (c *Core) session(conn codec.Conn) *session { return c.sessions.get(conn) }

// each calls f for every session.
func (c *Core) each(f func(*session)) { c.sessions.each(f) }

// hold takes in the key of a login, and ends the session that had an older one.
func (c *Core) hold(l login) {
	if older := c.keys.hold(l); older != 0 {
		c.endConn(older, endSecondLogin)
	}
}

// say sends a reply.
func (c *Core) say(s *session, r codec.Reply) {
	c.reply = r
	c.send(s)
}

// send queues c.reply for a session. Without room the session ends, so that no client
// waits for a message that never comes.
func (c *Core) send(s *session) {
	if !c.ports.Out.Send(s.conn, &c.reply) {
		c.end(s, endOverload)
	}
}

// sendFrame queues bytes that are encoded already.
func (c *Core) sendFrame(s *session, frame []byte) {
	if !c.ports.Out.SendFrame(s.conn, frame) {
		c.end(s, endOverload)
	}
}

// Flush submits everything that this round has gathered. A client whose request a pool
// does not take is refused: every client gets an answer. Replies go first: the time of an
// answer must not tell whether there is something to store about a login.
func (c *Core) Flush() {
	c.pool.refill()
	c.updates.callNext()
	c.ports.Out.Flush()
	c.effects.submitJobs(c)
	c.effects.submitOps(c)
	c.effects.submitNotes()
	c.directory.submit(c.keys.outgoing())
	c.effects.submitCloses()
	c.ports.Out.Flush()
}

// jobRefused handles a job for which the auth pool had no room.
func (c *Core) jobRefused(job *auth.Job) {
	if job.Kind == auth.JobMint {
		c.pool.refused()
	} else {
		c.endConn(codec.Conn(job.Tag), endBusy)
	}
}

// opRefused handles a request for which the store had no room.
func (c *Core) opRefused(op *storage.Op) {
	switch op.Kind {
	case storage.OpAddressBans:
		c.bans.refused()
	case storage.OpRemoveDevice:
		c.removals.refused(op.Tag)
	case storage.OpSetDecoys:
		c.decoys.refused()
	default:
		c.endConn(codec.Conn(op.Tag), endBusy)
	}
}

// timeOver ends a session's time in its state.
func (c *Core) timeOver(s *session) {
	if !c.stepSession(s, Input{Kind: inputTimeOver}) {
		c.end(s, endIdle)
	}
}

// goesOn tells whether a session whose time has come has something else to do first.
func (c *Core) goesOn(s *session) bool { return c.stepSession(s, Input{Kind: inputDue}) }
