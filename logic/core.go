package logic

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"gatepass/auth"
	"gatepass/codec"
	"gatepass/deadline"
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

// Core is the machine: messages in, effects out. It is unsafe for concurrent
// use; all of it but Stats belongs to the logic goroutine.
type Core struct {
	// static after construction
	options Options
	ports   Ports
	slots   slots
	alone   bool // there is no region
	audit   bool // whether the log takes a line a login

	// now and wall are the times of the last tick (see Tick), whole the one before which
	// nothing is due that is looked at with whole ticks only.
	now, wall int64
	whole     int64
	// stamp is that of the last login.
	stamp       worlds.Stamp
	versions    Versions
	draining    bool
	maintenance bool

	sessions sessionTable
	keys     *worlds.Passes[holding]
	vouchers *worlds.Vouchers // those of keys
	pool     keyPool
	// natives is how many native clients are in. picks has the connection that each
	// offered pass is for.
	natives int
	picks   map[worlds.PassID]codec.Conn
	// inWorld has the native clients whose keys went to a world with them.
	inWorld   map[codec.Name]codec.Conn
	updates   updateQueue
	blocklist blocklist
	factors   factorLock
	removals  removals
	decoys    decoys
	// signIns and tokens bound sign-ins by password and by token, returns counts who was
	// refused and told to come back.
	signIns, tokens, returns guard.Rates
	// sentOff is how many clients were told to come back because this server goes away.
	sentOff uint64
	// bansWanted says that the blocklist is older than the store, bansLoading
	// that a newer one is on its way: never two at once, so that the older of
	// two answers cannot come last.
	bansWanted, bansLoading bool
	// bansTold is what was logged of bans that could not be read.
	bansTold  string
	deadlines deadline.Wheel[codec.Conn]
	// overdue are the sessions whose time is over (overdue.go).
	overdue   deadline.Queue[codec.Conn]
	graces    deadline.Wheel[storage.Name]
	usedCodes usedCodes

	events      []Event
	signalling  uint16 // the kinds that are being signalled
	signalLevel int

	// effects of this round, submitted by Flush
	ops   []storage.Op
	notes []storage.Op // character counts, which no client waits for
	// notesAt is the tick of the last ones.
	notesAt int64
	jobs    []auth.Job
	closes  []codec.Conn // closes that found no room yet
	outbound
	// reclaims are the claims of clients that came back.
	reclaims map[worlds.PassID]codec.Conn
	// ended are accounts that an operator ended lately, the oldest first.
	ended []endedAccount
	// unannounced are keys that the directory has yet to be told of.
	unannounced []codec.Name
	push        push
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
	c := &Core{options: o, ports: p, versions: o.Versions, updates: updateQueue{of: make(map[storage.Name]codec.Conn)}, alone: alone, slots: defaultSlots(), vouchers: worlds.NewVouchers(nil), usedCodes: newUsedCodes(), factors: newFactorLock(),
		reclaims: make(map[worlds.PassID]codec.Conn), picks: make(map[worlds.PassID]codec.Conn), inWorld: make(map[codec.Name]codec.Conn),
		signIns: guard.NewRates(), tokens: guard.NewRates(), returns: guard.NewRates(),
		removals: removals{open: make(map[uint64]*removal)}, decoys: newDecoys(&o, alone)}
	c.keys = newKeys(&c.options, c.vouchers)
	c.options.Versions = nil // those of the start are let go with the first others
	c.audit = o.Logger.Enabled(context.Background(), slog.LevelDebug)
	c.loadBans()
	return c, nil
}

// Tick tells the time: now is what deadlines count by, in milliseconds of a clock
// that never goes back, stands still or is set, wall the time of day, in Unix
// milliseconds, which may be anything. Deadlines are looked at here and nowhere else.
// Ticks come every TickEvery at least, and may come more often (see Pace): between
// whole ticks only what is overdue goes on.
func (c *Core) Tick(now, wall int64) {
	c.wall = wall
	c.removeAgain()
	if c.bansWanted && !c.bansLoading {
		c.loadBans()
	}
	if now <= c.now {
		return
	}
	late := now-c.now > tickLate.Milliseconds()
	c.now = now
	c.keepDecoysAgain()
	if now >= c.whole {
		c.whole = now - now%TickEvery.Milliseconds() + TickEvery.Milliseconds()
		c.wholeTick()
	}
	if !late {
		c.endOverdue()
	}
	c.settle()
	c.runEvents()
	c.count.moving.Store(int64(c.keys.Moves()))
}

// wholeTick does what is done every TickEvery.
func (c *Core) wholeTick() {
	now := c.now
	c.usedCodes.advance(now, c.wall)
	c.factors.advance(now)
	c.deadlines.Advance(now, c.expire)
	c.graces.Advance(now, c.expireKey)
	c.keys.Tick(now)
	c.forgetEnds()
	c.announceSome()
	c.follow(c.ports.Region.Tick(now))
	c.pushStale()
	c.pushDue()
	c.tellPlaces()
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
	c.releaseKey(s, s.dialect().closed(c, s))
	c.sessions.close(s)
}

// Stored takes a result of the store.
func (c *Core) Stored(r *storage.Result) {
	s := c.sessions.get(codec.Conn(r.Tag))
	switch {
	case (r.Kind == storage.OpGet || r.Kind == storage.OpDevice) && s != nil && s.state == StateLookingUp && s.attempt == nil:
		c.lookedUp(s, r)
	case r.Kind == storage.OpRotateDevice && s != nil && s.state == StateRotating:
		c.rotated(s, r)
	case r.Kind == storage.OpAddDevice && s != nil && s.welcomed() && s.native.remembering != nil:
		c.rememberedDevice(s, r)
	case r.Kind == storage.OpLogin && s != nil && s.state == StateRecording:
		c.recorded(s, r)
	case r.Kind == storage.OpAddressBans:
		c.bansLoaded(r)
	case r.Kind == storage.OpRemoveDevice:
		c.removedDevice(r)
	case r.Kind == storage.OpSetDecoys:
		c.keptDecoys(r)
	case errors.Is(r.Err, storage.ErrFailed) && isNote(r.Kind):
		// The disk takes no writes: the store counts what it drops, and says so.
	case errors.Is(r.Err, storage.ErrNotFound), errors.Is(r.Err, storage.ErrConflict):
		// The client that asked is gone, or the account is, or it was changed: nothing is
		// wrong with the store.
	case r.Err != nil:
		c.count.storeErrors.Add(1)
		c.options.Logger.Error("storage request failed", "kind", r.Kind, "error", r.Err)
	}
	c.runEvents()
}

// isNote tells whether requests of a kind note something of which nobody waits to hear.
func isNote(kind storage.OpKind) bool {
	return kind == storage.OpLogin || kind == storage.OpLoginFailed || kind == storage.OpCharacters
}

// Proved takes a result of the auth pool and wipes what is secret in it.
func (c *Core) Proved(r *auth.Result) {
	switch r.Kind {
	case auth.JobMint:
		c.keyMade(r)
	case auth.JobProve, auth.JobNativeProve:
		if s := c.sessions.get(codec.Conn(r.Tag)); s != nil && s.state == StateVerifying {
			c.verified(s, r)
		}
		if r.Native != nil {
			r.Native.Wipe()
		}
	case auth.JobNativeChallenge:
		if s := c.sessions.get(codec.Conn(r.Tag)); s != nil && s.state == StateLookingUp && s.attempt != nil {
			c.challenged(s, r)
		} else {
			r.Native.Wipe()
		}
	}
	r.Key.Wipe()
	r.Ephemeral.Wipe()
	clear(r.Random[:])
	c.runEvents()
}
