package gate

import (
	"maps"
	"net/netip"
	"slices"

	"gatepass/codec"
	"gatepass/deadline"
	"gatepass/worlds"
)

// session is what is known of one connection. It belongs to the logic goroutine.
type session struct {
	conn  codec.Conn
	state StateID
	build uint16
	// native says that the client speaks the native protocol.
	native bool
	// proven says that the client has shown that it has the account's key, or its
	// pass's.
	proven bool
	// entered says that the handler was told of the player.
	entered bool
	// keyed says that the client was given an encrypted reply: the connection's
	// codec has the key.
	keyed bool
	// why is for Left: set before a player's connection is closed from here.
	why     LeftReason
	account codec.Name
	// stamp is of the login that the client has proven.
	stamp worlds.Stamp
	// deadline is when the session has been in its state for too long, in
	// milliseconds of the ticks' clock; 0 for never.
	deadline int64
	// armed is the tick of the wheel entry that will look at this session, or 0.
	armed int64
	// attempt is what is needed until the verdict only.
	attempt *attempt
	// origin is where a native client's pass came from.
	origin *origin
}

// origin is where a pass came from: who is told how far its client is, and when the
// directory ends it.
type origin struct {
	from worlds.Node
	pass worlds.PassID
}

// attempt is one client's way to its key.
type attempt struct {
	proof worlds.Proof
	// nonce is what a native client was greeted with.
	nonce [codec.NonceSize]byte
	// network is where the client is; see guard.Network.
	network netip.Prefix
	// started is when the client introduced itself.
	started int64
	// holder was asked for the key under pass, while claiming.
	holder   worlds.Node
	pass     worlds.PassID
	claiming bool
	// again says that the client's proof did not fit once, and resume when it is
	// looked for again, while pausing.
	again  bool
	resume int64
	// refusal is what the client will be told.
	refusal Refusal
}

// holding is what is kept with each key.
type holding struct {
	// until is when the key is wiped, in milliseconds, while its player is not here.
	until int64
	// armed is the tick of the wheel entry that will look at this key, or 0.
	armed int64
	// origin is kept with a pass.
	origin *origin
}

// sessionOf is the session of a handle, or nil when it is gone.
func (c *core) sessionOf(conn codec.Conn) *session { return c.sessions[conn] }

// at is the session that waits or plays on an account, or nil.
func (c *core) at(account codec.Name) *session { return c.sessions[c.online[account]] }

// each calls f for every session, in the order of their handles: what comes of it
// is the same each time. f may not end sessions.
func (c *core) each(f func(s *session)) {
	for _, conn := range slices.Sorted(maps.Keys(c.sessions)) {
		f(c.sessions[conn])
	}
}

// crowded tells whether too many clients are getting their keys, in all or from
// this one's network, or too many keys are here.
func (c *core) crowded(a *attempt) bool {
	share := claimsPerNetwork
	if c.getting >= c.options.MaxClaims/2 {
		share = claimsPerCrowded
	}
	return c.getting >= c.options.MaxClaims || c.passes.Len() >= c.options.maxKeys() ||
		a.network.IsValid() && c.crowds[a.network] >= share
}

// countGetting keeps the number of those who are getting their keys.
func (c *core) countGetting(a *attempt, n int) {
	c.getting += n
	c.crowds.Add(a.network, n)
}

func (c *core) endAttempt(s *session) {
	if s.attempt != nil {
		*s.attempt = attempt{}
		c.attempts = append(c.attempts, s.attempt)
		s.attempt = nil
	}
}

func (c *core) beginAttempt(s *session) *attempt {
	if n := len(c.attempts); n > 0 {
		s.attempt = c.attempts[n-1]
		c.attempts = c.attempts[:n-1]
	} else {
		s.attempt = new(attempt)
	}
	return s.attempt
}

// setDeadline gives a session so long in its state.
func (c *core) setDeadline(s *session, at int64) {
	s.deadline = at
	if s.armed == 0 || deadline.TickOf(at) < s.armed {
		s.armed = c.deadlines.Arm(s.conn, at)
	}
}

// expire looks at a session whose time may have come.
func (c *core) expire(conn codec.Conn, tick int64) {
	s := c.sessionOf(conn)
	if s == nil || s.armed != tick {
		return
	}
	s.armed = 0
	switch {
	case s.deadline == 0:
	case s.deadline > c.now:
		s.armed = c.deadlines.Arm(conn, s.deadline)
	default:
		c.expired(s)
	}
}

// expired acts on a session that has been in its state for too long.
func (c *core) expired(s *session) {
	c.count.expired[s.state].Add(1)
	overdue := s.attempt != nil && c.now >= c.claimEnd(s)
	switch s.state {
	case StateConnected:
		c.turnAway(s, RefusalSilent)
	case StateLocating:
		if overdue {
			c.turnAway(s, RefusalNoAnswer)
			return
		}
		c.setDeadline(s, min(c.now+locateEvery.Milliseconds(), c.claimEnd(s)))
		c.locate(s)
	case StateClaiming:
		if overdue {
			c.turnAway(s, RefusalNoHolder)
			return
		}
		c.setDeadline(s, min(c.now+relocateEvery.Milliseconds(), c.claimEnd(s)))
		c.locate(s)
	case StatePausing:
		if overdue {
			c.turnAway(s, RefusalBusy)
			return
		}
		c.seek(s)
	case StateRefusing:
		c.refuse(s, s.attempt.refusal)
	case StateInside:
		c.sendAway(s, LeftIdle)
	case StateWaiting: // a native client
		c.sendAway(s, LeftIdle)
	case StateLeaving:
		c.hangUp(s, codec.CloseLogic)
	}
}

// claimEnd is until when a session may try to get its key.
func (c *core) claimEnd(s *session) int64 {
	return s.attempt.started + c.options.ClaimLimit.Milliseconds()
}
