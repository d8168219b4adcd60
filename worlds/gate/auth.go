package gate

import (
	"crypto/subtle"
	"errors"
	"slices"

	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/codec/world"
	"gatepass/worlds"
)

// held is an account's key at this gate.
type held = worlds.Held[holding]

// introduced handles the name and proof that a client sends.
func (c *core) introduced(s *session, auth *codec.WorldAuth) {
	a := s.attempt
	a.started, s.build = c.now, auth.Build
	a.proof.ClientSeed, a.proof.Digest = auth.ClientSeed, auth.Digest
	name, ok := foldName(auth.Name)
	s.account = name
	switch h := c.passes.Find(name); {
	case !slices.Contains(c.options.World.Builds, auth.Build):
		c.turnAway(s, RefusalBuild)
	case !ok:
		c.turnAway(s, RefusalName)
	case c.proves(s, h): // the key is here from an earlier connection
		c.proven(s, h)
	case c.crowded(a):
		c.turnAway(s, RefusalClaims)
	default:
		c.seek(s)
	}
}

// seek looks for a client's key. The key may have arrived for another connection.
func (c *core) seek(s *session) {
	if h := c.passes.Find(s.account); c.proves(s, h) {
		c.proven(s, h)
		return
	}
	c.become(s, StateLocating)
	c.locate(s)
}

// foldName returns the account name in its stored form. Names are printable ASCII in
// capitals, without a colon or spaces at the ends. ok is false for other names.
func foldName(raw codec.Name) (name codec.Name, ok bool) {
	b := raw.Bytes()
	if len(b) == 0 || b[0] == ' ' || b[len(b)-1] == ' ' {
		return name, false
	}
	for i, ch := range b {
		switch {
		case 'a' <= ch && ch <= 'z':
			ch -= 'a' - 'A'
		case ch < ' ' || ch > '~' || ch == ':':
			return codec.Name{}, false
		}
		name[i] = ch
	}
	return name, true
}

// proves reports whether a client's digest was made with the key h, if there is one. It
// takes the same time for every digest.
func (c *core) proves(s *session, h *held) bool {
	if h == nil || h.Key() == nil || len(h.Key().Bytes()) != len(srp6.SessionKey{}) {
		return false
	}
	p := &s.attempt.proof
	want := world.Digest(s.account.Bytes(), p.ClientSeed, p.ServerSeed, (*[40]byte)(h.Key().Bytes()))
	return subtle.ConstantTimeCompare(want[:], p.Digest[:]) == 1
}

// located handles the directory's answer about the place of an account's key.
func (c *core) located(p *worlds.Place) {
	s := c.sessionOf(codec.Conn(p.Tag))
	if s == nil || s.account != p.Account {
		return // gone
	}
	if s.state == StateClaiming && p.Holder != "" && p.Holder != s.attempt.holder {
		c.pause(s, 0) // the first holder is gone, and the account has logged in elsewhere
	}
	if s.state != StateLocating {
		return // a later request is under way
	}
	switch h := c.passes.Find(s.account); {
	case c.proves(s, h): // the key arrived for another connection
		c.proven(s, h)
	case p.Holder == "":
		c.turnAway(s, RefusalUnknown)
	case p.Holder == c.self && h != nil:
		c.wrong(s, RefusalProof)
	case p.Holder == c.self:
		c.wrong(s, RefusalUnknown)
	case p.Holder.Kind() != worlds.KindLogin:
		c.wrong(s, RefusalForeign)
	default:
		c.claim(s, p.Holder)
	}
}

// claim asks a login server for a client's key.
func (c *core) claim(s *session, holder worlds.Node) {
	a := s.attempt
	a.holder = holder
	c.ports.random(a.pass[:])
	err := c.passes.Claim(a.pass, s.account, holder, &a.proof)
	switch {
	case errors.Is(err, worlds.ErrTooMany):
		c.turnAway(s, RefusalClaims)
	case err != nil: // the key is already on its way
		c.pause(s, pauseLimit.Milliseconds())
	default:
		c.count.claims.Add(1)
		a.claiming = true
		c.claims[a.pass] = s.conn
		c.become(s, StateClaiming)
	}
}

// abandon gives up an active claim.
func (c *core) abandon(a *attempt) {
	if a.claiming {
		a.claiming = false
		delete(c.claims, a.pass)
		c.passes.Abandon(a.pass)
	}
}

// notTaken handles a claim that failed.
func (c *core) notTaken(pass worlds.PassID, reason worlds.Reason) {
	s := c.claimant(pass)
	if s == nil {
		return
	}
	switch reason {
	case worlds.ReasonBusy:
		c.pause(s, pauseLimit.Milliseconds())
	case worlds.ReasonTimeout:
		c.turnAway(s, RefusalNoHolder)
	case worlds.ReasonFull:
		c.turnAway(s, RefusalClaims)
	case worlds.ReasonUnknown, worlds.ReasonReplaced:
		c.wrong(s, RefusalUnknown)
	case worlds.ReasonProof:
		c.wrong(s, RefusalProof)
	case worlds.ReasonForeign:
		c.wrong(s, RefusalForeign)
	default:
		c.wrong(s, RefusalExpired)
	}
}

// claimant returns the session that waits for a claim, or nil, and ends its wait.
func (c *core) claimant(pass worlds.PassID) *session {
	s := c.sessionOf(c.claims[pass])
	delete(c.claims, pass)
	if s != nil {
		s.attempt.claiming = false
	}
	return s
}

// wrong handles a client that does not match what was found for its account. The first
// time, it looks again later: the directory may not know the newest login yet, and a
// quick client must not be refused for that.
func (c *core) wrong(s *session, why Refusal) {
	if !s.attempt.again {
		s.attempt.again = true
		c.pause(s, againAfter.Milliseconds())
		return
	}
	c.turnAway(s, why)
}

// pause looks for a client's key again after ms milliseconds.
func (c *core) pause(s *session, ms int64) {
	s.attempt.resume = c.now + ms
	c.become(s, StatePausing)
}

// proven admits a client whose digest matches the key here, to the world or to the
// queue.
func (c *core) proven(s *session, h *held) {
	s.proven, s.stamp = true, h.Stamp
	older := c.at(s.account)
	if older != nil && c.options.SecondLogin == worlds.SecondLoginRefuse {
		c.turnAway(s, RefusalOnline)
		return
	}
	c.admit(s, older)
}

// admit admits an authenticated client. It replaces an older connection of the account.
func (c *core) admit(s, older *session) {
	// From here on the account belongs to this connection. The end of the older one
	// does not affect the account.
	c.online[s.account] = s.conn
	if older != nil {
		c.replace(older, s)
	}
	w := c.line.find(s.account)
	switch {
	case c.inside < int(c.options.World.Capacity):
		if w != nil {
			c.line.leave(w)
		}
		c.enter(s, w)
	case w != nil:
		c.line.back(w, s.conn)
		c.becomeWaiting(s, w)
	case c.line.len() >= c.options.MaxQueue:
		c.turnAway(s, RefusalQueueFull)
	default:
		c.queue(s)
	}
	c.fill()
}

// replace ends an older connection of the same account. The newer one gets its place in
// the world or in the queue.
func (c *core) replace(older, newer *session) {
	c.count.replaced.Add(1)
	if w := c.line.find(older.account); w != nil {
		c.line.back(w, newer.conn)
	}
	older.why = LeftReplaced
	c.part(older, leftResults[LeftReplaced])
}
