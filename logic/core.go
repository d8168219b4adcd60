package logic

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"gatepass/auth"
	"gatepass/codec"
	"gatepass/guard"
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
	slots   slots
	audit   bool // whether the log takes a line a login

	clock
	versions    Versions
	draining    bool
	maintenance bool
	sessions    sessionTable

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
	factors   secondFactors
	removals  removals
	decoys    decoys
	returns   returns
	// signIns and tokens limit native sign-ins by password and by token.
	signIns, tokens guard.Rates

	events      []Event
	signalling  uint16 // the kinds that are being signalled
	signalLevel int
	// reply is the one that is being sent: a field, so that passing its address
	// allocates nothing.
	reply codec.Reply

	count counters
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
	c := &Core{options: o, ports: p, versions: o.Versions, slots: defaultSlots(), signIns: guard.NewRates(), tokens: guard.NewRates()}
	c.options.Versions = nil // a command replaces those of the start, and then nothing keeps them
	c.audit = o.Logger.Enabled(context.Background(), slog.LevelDebug)
	b := base{options: &c.options, clock: &c.clock, effects: &c.effects, count: &c.count}
	c.effects = effects{store: p.Store, prover: p.Prover, out: p.Out, clock: &c.clock, count: &c.count}
	c.timers = timers{base: b, desk: c}
	c.directory = directory{base: b, bus: p.Bus, alone: alone}
	c.keys = newKeyring(b, &c.directory)
	c.claims = claims{base: b, desk: c, keys: &c.keys, directory: &c.directory, pool: &c.pool, timers: &c.timers, alone: alone, of: make(map[worlds.PassID]codec.Conn)}
	c.pool = keyPool{base: b}
	c.selection = selection{base: b, desk: c, keys: &c.keys, pool: &c.pool, worlds: p.Worlds, alone: alone,
		offered: make(map[worlds.PassID]codec.Conn), inWorld: make(map[codec.Name]codec.Conn)}
	c.push = push{base: b, desk: c, out: p.Out, worlds: p.Worlds, region: p.Region}
	c.updates = updateQueue{base: b, desk: c, timers: &c.timers, out: p.Out, of: make(map[storage.Name]codec.Conn)}
	c.bans = addressBans{base: b}
	c.factors = newSecondFactors(b)
	c.removals = removals{base: b, open: make(map[uint64]*removal)}
	c.decoys = newDecoys(b, alone)
	c.returns = returns{base: b, networks: guard.NewRates()}
	c.bans.load()
	return c, nil
}

// Tick tells the time: now is what deadlines count by, in milliseconds of a clock
// that never goes back, stands still or is set, wall the time of day, in Unix
// milliseconds, which may be anything. Deadlines are looked at here and nowhere else.
// Ticks come every TickEvery at least, and may come more often (see Pace): between
// whole ticks only what is overdue goes on.
func (c *Core) Tick(now, wall int64) {
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
	c.settle()
	c.runEvents()
	c.count.moving.Store(int64(c.keys.moves()))
}

// wholeTick does what is done every TickEvery.
func (c *Core) wholeTick() {
	c.factors.tick()
	c.timers.advance()
	c.keys.tick()
	c.directory.forgetEnds()
	c.keys.announceSome()
	c.follow(c.ports.Region.Tick(c.now))
	c.push.tick()
	c.updates.tellPlaces()
}

// Client takes a message of a client or, about one, of its reactor.
func (c *Core) Client(m *codec.Message) {
	c.count.messages[m.Kind].Add(1)
	switch m.Kind {
	case codec.KindOpened:
		c.opened(m)
		return
	case codec.KindClosed:
		c.closed(m)
		return
	}
	s := c.sessions.get(m.Conn)
	if s == nil || s.state == StateLeaving {
		return // the client sent it before it could know that it was refused
	}
	s.request = m.Kind
	if !opcodes[m.Kind].has(s.state) {
		c.count.outOfPlace[s.state].Add(1)
		c.end(s, endOutOfPlace)
		return
	}
	states[s.state].Process(c, s, m)
	c.runEvents()
}

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
	if c.draining {
		c.end(s, endDrained)
	}
}

func (c *Core) closed(m *codec.Message) {
	if s := c.sessions.get(m.Conn); s != nil {
		c.remove(s)
	}
}

// remove takes a session out of the table whose connection is closed.
func (c *Core) remove(s *session) {
	states[s.state].Leave(c, s)
	c.count.inState[s.state].Add(-1)
	c.keys.release(s, s.dialect().closed(c, s).Milliseconds())
	c.sessions.close(s)
}

// Stored takes a result of the store.
func (c *Core) Stored(r *storage.Result) {
	s := c.sessions.get(codec.Conn(r.Tag))
	switch {
	case (r.Kind == storage.OpGet || r.Kind == storage.OpDevice) && s != nil && s.state == StateLookingUp && s.attempt == nil:
		lookingUp{}.found(c, s, r)
	case r.Kind == storage.OpRotateDevice && s != nil && s.state == StateRotating:
		rotating{}.stored(c, s, r)
	case r.Kind == storage.OpAddDevice && s != nil && s.welcomed() && s.native.remembering != nil:
		nativeDialect{}.remembered(c, s, r)
	case r.Kind == storage.OpLogin && s != nil && s.state == StateRecording:
		recording{}.stored(c, s, r)
	case r.Kind == storage.OpAddressBans:
		if c.bans.loaded(r) {
			c.endBannedAddresses()
			c.bans.retry()
		}
	case r.Kind == storage.OpRemoveDevice:
		c.removals.removed(r)
	case r.Kind == storage.OpSetDecoys:
		c.decoys.kept(r)
	case errors.Is(r.Err, storage.ErrFailed) && isNote(r.Kind):
		// The disk takes no writes: the store counts what it drops, and reports it.
	case errors.Is(r.Err, storage.ErrNotFound), errors.Is(r.Err, storage.ErrConflict):
		// The client that asked is gone, or the account is, or it was changed: nothing is
		// wrong with the store.
	case r.Err != nil:
		c.count.storeErrors.Add(1)
		c.options.Logger.Error("storage request failed", "kind", r.Kind, "error", r.Err)
	}
	c.runEvents()
}

// isNote tells whether no client waits for the result of a kind of request.
func isNote(kind storage.OpKind) bool {
	return kind == storage.OpLogin || kind == storage.OpLoginFailed || kind == storage.OpCharacters
}

// Proved takes a result of the auth pool and wipes what is secret in it.
func (c *Core) Proved(r *auth.Result) {
	s := c.sessions.get(codec.Conn(r.Tag))
	switch r.Kind {
	case auth.JobMint:
		c.pool.add(r)
		for conn, ok := c.pool.next(); ok; conn, ok = c.pool.next() {
			if s := c.sessions.get(conn); s != nil && s.state == StateLookingUp && s.attempt != nil {
				c.pool.take(&s.attempt.ephemeral)
				gruntDialect{}.challenge(c, s)
			}
		}
	case auth.JobNativeChallenge:
		if s != nil && s.state == StateLookingUp && s.attempt != nil {
			nativeDialect{}.challenged(c, s, r)
			break
		}
		r.Native.Wipe()
	case auth.JobProve, auth.JobNativeProve:
		if s != nil && s.state == StateVerifying {
			verifying{}.proved(c, s, r)
		}
		if r.Native != nil {
			r.Native.Wipe()
		}
	}
	r.Key.Wipe()
	r.Ephemeral.Wipe()
	clear(r.Random[:])
	c.runEvents()
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
	if s.state == StateReclaiming {
		c.claims.timeOver(s)
		return
	}
	c.end(s, endIdle)
}

// goesOn tells whether a session whose time has come looks for its key again.
func (c *Core) goesOn(s *session) bool { return s.state == StateReclaiming && c.claims.goesOn(s) }

// Pace returns how long after a tick the next one should come: PaceEvery while there
// are sessions to be ended, TickEvery else. Anywhere.
func (c *Core) Pace() time.Duration {
	if c.count.overdue.Load() > 0 || c.count.inState[StateReclaiming].Load() > 0 {
		return PaceEvery
	}
	return TickEvery
}
