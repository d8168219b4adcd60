package gate

import (
	"maps"
	"net/netip"
	"slices"

	"gatepass/codec"
	"gatepass/deadline"
	"gatepass/worlds"
)

// session is the state of one connection. It belongs to the logic goroutine.
type session struct {
	conn  codec.Conn
	state StateID
	build uint16
	// native: the client uses the native protocol.
	native bool
	// proven: the client has proved that it has the key of the account or of its pass.
	proven bool
	// entered: the handler's Entered was called for the player.
	entered bool
	// keyed: an encrypted reply was sent to the client. The connection's codec has the
	// key.
	keyed bool
	// why is the reason for Left. It is set before the gate closes a player's
	// connection.
	why     LeftReason
	account codec.Name
	// stamp is the stamp of the login that the client has proved.
	stamp worlds.Stamp
	// deadline is when the session's time in its state is over, in milliseconds of the
	// tick clock; 0 means never.
	deadline int64
	// armed is the tick of the wheel entry that checks this session, or 0.
	armed int64
	// attempt has the data that are needed only until the verdict.
	attempt *attempt
	// origin is where a native client's pass came from.
	origin *origin
}

// origin is the login server that issued a pass. It learns how far its client is, and
// when the directory ends it.
type origin struct {
	from worlds.Node
	pass worlds.PassID
}

// attempt is a client's attempt to get its key.
type attempt struct {
	proof worlds.Proof
	// nonce is the nonce of a native client's challenge.
	nonce [codec.NonceSize]byte
	// network is the client's network; see guard.Network.
	network netip.Prefix
	// started is when the client introduced itself.
	started int64
	// holder is the node that was asked for the key under pass, while claiming.
	holder   worlds.Node
	pass     worlds.PassID
	claiming bool
	// again: the client's proof has failed to match once. resume is when the search
	// starts again, while pausing.
	again  bool
	resume int64
	// refusal is the refusal to send later.
	refusal Refusal
}

// holding is the gate's data for each key.
type holding struct {
	// until is when the key of an absent player is wiped, in milliseconds.
	until int64
	// armed is the tick of the wheel entry that checks this key, or 0.
	armed int64
	// origin belongs to a pass.
	origin *origin
}

// sessionOf returns the session of a connection, or nil if it is gone.
func (c *core) sessionOf(conn codec.Conn) *session { return c.sessions[conn] }

// at returns the session that waits or plays on an account, or nil.
func (c *core) at(account codec.Name) *session { return c.sessions[c.online[account]] }

// each calls f for every session in the order of their handles, so that the results are
// reproducible. f must not end sessions.
func (c *core) each(f func(s *session)) {
	for _, conn := range slices.Sorted(maps.Keys(c.sessions)) {
		f(c.sessions[conn])
	}
}

// crowded reports whether too many clients are getting their keys, in total or from
// this one's network, or whether too many keys are here.
func (c *core) crowded(a *attempt) bool {
	share := claimsPerNetwork
	if c.getting >= c.options.MaxClaims/2 {
		share = claimsPerCrowded
	}
	return c.getting >= c.options.MaxClaims || c.passes.Len() >= c.options.maxKeys() ||
		a.network.IsValid() && c.crowds[a.network] >= share
}

// countGetting adds n to the number of clients that are getting their keys.
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

// setDeadline sets when a session's time in its state is over.
func (c *core) setDeadline(s *session, at int64) {
	s.deadline = at
	if s.armed == 0 || deadline.TickOf(at) < s.armed {
		s.armed = c.deadlines.Arm(s.conn, at)
	}
}

// expire checks whether a session's deadline has passed.
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

// expired handles a session whose time in its state is over.
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

// claimEnd returns the time until which a session may try to get its key.
func (c *core) claimEnd(s *session) int64 {
	return s.attempt.started + c.options.ClaimLimit.Milliseconds()
}
