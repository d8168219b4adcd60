package logic

import (
	"errors"

	"gatepass/auth"
	"gatepass/codec"
	"gatepass/storage"
	"gatepass/worlds"
)

// InputKind tells where an input comes from.
type InputKind uint8

const (
	// InputMessage: a message of a client or, about one, of its reactor.
	InputMessage InputKind = iota
	// InputStored: a result of the store.
	InputStored
	// InputProved: a result of the auth pool. What is secret in it is wiped.
	InputProved
	// InputRegion: what the bus brings.
	InputRegion
	// InputCommand: a command of an operator or of the process.
	InputCommand
	// InputTick: the time.
	InputTick

	// The kinds below are the logic's own, and about one session.

	// inputPassed: no rule objected to what the session wants.
	inputPassed
	// inputKeyReady: the pool has a key for the session's challenge.
	inputKeyReady
	// inputOutcome: how the move of a key came out that the session waits for.
	inputOutcome
	// inputTimeOver: the session was in its state for too long. inputDue comes first, when
	// the time is over and others may have to be ended before.
	inputTimeOver
	inputDue
)

// Input is one thing that the logic takes, of whatever source. The Core does not change
// what it points at, but for the secrets that it wipes, and keeps none of it.
type Input struct {
	Kind    InputKind
	Message *codec.Message
	Stored  *storage.Result
	Proved  *auth.Result
	Region  *worlds.Event
	Command *Command
	// outcome is for inputOutcome.
	outcome *worlds.Outcome[holding]
	// Now is what deadlines count by, in milliseconds of a clock that never goes back,
	// stands still or is set. Wall is the time of day, in Unix milliseconds, which may be
	// anything.
	Now, Wall int64
}

// FromClient is the input of a client's message.
func FromClient(m *codec.Message) Input { return Input{Kind: InputMessage, Message: m} }

// FromStore is the input of a storage result.
func FromStore(r *storage.Result) Input { return Input{Kind: InputStored, Stored: r} }

// FromPool is the input of a result of the auth pool.
func FromPool(r *auth.Result) Input { return Input{Kind: InputProved, Proved: r} }

// FromBus is the input of what the bus brings.
func FromBus(e *worlds.Event) Input { return Input{Kind: InputRegion, Region: e} }

// FromOperator is the input of a command.
func FromOperator(cmd *Command) Input { return Input{Kind: InputCommand, Command: cmd} }

// FromClock is the input of a tick.
func FromClock(now, wall int64) Input { return Input{Kind: InputTick, Now: now, Wall: wall} }

// Step takes one input: what is about one session goes to the state that the session is
// in, the rest to the part of the Core that it is about.
func (c *Core) Step(in Input) {
	switch in.Kind {
	case InputMessage:
		c.client(in)
	case InputStored:
		c.stored(in)
	case InputProved:
		c.proved(in)
	case InputRegion:
		c.region.take(in.Region)
	case InputCommand:
		c.operator.take(in.Command)
	case InputTick:
		c.tick(in.Now, in.Wall)
	}
	c.rules.run()
	if in.Kind == InputRegion || in.Kind == InputTick {
		c.counters.moving.Store(int64(c.keys.moves()))
	}
}

// stepSession gives a session's state an input. It returns false if the state does not
// take it, or there is no session.
func (c *Core) stepSession(s *session, in Input) bool {
	return s != nil && states[s.state].Step(c, s, in)
}

// client routes a message.
func (c *Core) client(in Input) {
	m := in.Message
	c.counters.messages[m.Kind].Add(1)
	s := c.sessions.get(m.Conn)
	switch {
	case m.Kind == codec.KindOpened:
		c.opened(m)
	case s == nil:
	case m.Kind == codec.KindClosed:
		c.remove(s)
	case s.state == StateLeaving:
		// The client sent it before it could know that it was refused.
	default:
		s.request = m.Kind
		if !opcodes[m.Kind].has(s.state) {
			c.counters.outOfPlace[s.state].Add(1)
			c.end(s, endOutOfPlace)
			return
		}
		c.stepSession(s, in)
	}
}

// stored routes a storage result.
func (c *Core) stored(in Input) {
	r := in.Stored
	switch {
	case r.Kind == storage.OpAddressBans:
		if c.bans.loaded(r) {
			c.operator.endBannedAddresses()
			c.bans.retry()
		}
	case r.Kind == storage.OpRemoveDevice:
		c.removals.removed(r)
	case r.Kind == storage.OpSetDecoys:
		c.decoys.kept(r)
	case c.stepSession(c.sessions.get(codec.Conn(r.Tag)), in):
	case errors.Is(r.Err, storage.ErrFailed) && r.Kind.IsNote():
		// The disk takes no writes: the store counts what it drops, and reports it.
	case errors.Is(r.Err, storage.ErrNotFound), errors.Is(r.Err, storage.ErrConflict):
		// The client that asked is gone, or the account is, or it was changed: nothing is
		// wrong with the store.
	case r.Err != nil:
		c.counters.storeErrors.Add(1)
		c.options.Logger.Error("storage request failed", "kind", r.Kind, "error", r.Err)
	}
}

// proved routes a result of the auth pool, and wipes what is secret in it.
func (c *Core) proved(in Input) {
	r := in.Proved
	if r.Kind == auth.JobMint {
		c.pool.add(r)
		for conn, ok := c.pool.next(); ok; conn, ok = c.pool.next() {
			c.stepSession(c.sessions.get(conn), Input{Kind: inputKeyReady})
		}
	} else if !c.stepSession(c.sessions.get(codec.Conn(r.Tag)), in) || r.Kind != auth.JobNativeChallenge {
		if r.Native != nil { // the session keeps the exchange of a challenge
			r.Native.Wipe()
		}
	}
	r.Key.Wipe()
	r.Ephemeral.Wipe()
	clear(r.Random[:])
}
