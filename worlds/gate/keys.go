package gate

import (
	"crypto/subtle"

	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/worlds"
)

// verifyReturn tells whether a login server that claims a key back for a client
// has that client's proof (protocol page, 8.1). It does the same work whatever is
// wrong.
func verifyReturn(h *held, p *worlds.Proof) bool {
	var k srp6.SessionKey
	ok := h.Key() != nil && copy(k[:], h.Key().Bytes()) == len(k)
	want := srp6.ReconnectProof(h.Account.Bytes(), &p.Client, &p.Challenge, &k)
	k.Wipe()
	return subtle.ConstantTimeCompare(want[:], p.Digest[:]) == 1 && ok && !p.World
}

// gives: keys go to login servers only; from one world to another there is no way
// but by them.
func gives(to worlds.Node) bool { return to.Kind() == worlds.KindLogin }

// settle acts on what has become of moves. Each outcome is taken out before it is
// acted on, so that a bug in one does not lose the others.
func (c *core) settle() {
	c.outcomes = append(c.outcomes, c.passes.Outcomes()...)
	for len(c.outcomes) > 0 {
		o := c.outcomes[0]
		c.outcomes = c.outcomes[1:]
		c.settled(&o)
	}
}

func (c *core) settled(o *worlds.Outcome[holding]) {
	c.count.outcomes[o.Kind].Add(1)
	switch o.Kind {
	case worlds.OutcomeTaken:
		if h := c.passes.Pass(o.Pass); h != nil { // its client is yet to come
			h.Owner.origin = &origin{from: o.Node, pass: o.Pass}
			return
		}
		c.announce(worlds.AnnounceMoved, o.Account, o.Stay())
		c.taken(o)
	case worlds.OutcomeNotTaken:
		c.notTaken(o.Pass, o.Reason)
	case worlds.OutcomeLeft:
		c.sendAccountAway(o.Account, LeftWentBack) // whoever has the key now announces it
	case worlds.OutcomeLapsed:
		if o.Reason == worlds.ReasonReplaced && o.Pass == (worlds.PassID{}) {
			c.sendAccountAway(o.Account, LeftReplaced) // a later login's key is here now
		}
	}
}

// taken acts on a key that has come here, for the client that waits for it or for
// one that has given up meanwhile.
func (c *core) taken(o *worlds.Outcome[holding]) {
	s := c.claimant(o.Pass)
	h := c.passes.Find(o.Account)
	switch {
	case h == nil: // ended in the same moment
		if s != nil {
			c.turnAway(s, RefusalEnded)
		}
	case s == nil:
		c.keepKey(h)
	case !c.proves(s, h): // the holder should not have given it
		c.keepKey(h)
		c.turnAway(s, RefusalProof)
	default:
		c.proven(s, h)
	}
}

// keepKey keeps a key whose player is not here for the reconnect grace.
func (c *core) keepKey(h *held) {
	grace := c.options.ReconnectGrace.Milliseconds()
	if grace == 0 {
		c.dropKey(h)
		return
	}
	h.Owner.until = c.now + grace
	if h.Owner.armed == 0 {
		h.Owner.armed = c.graces.Arm(h.Account, h.Owner.until)
	}
}

// release notes that a session plays or waits no more, if it did, and keeps its
// key. That of a native client is dropped: it comes back with a new pass.
func (c *core) release(s *session) {
	if c.online[s.account] != s.conn {
		return
	}
	delete(c.online, s.account)
	c.report(s.origin, worlds.Progress{Ended: worlds.EndedLeft})
	s.origin = nil
	h := c.passes.Find(s.account)
	switch {
	case h == nil:
	case s.native && h.Stamp == s.stamp:
		stay := h.Stay()
		c.passes.DropKey(s.account) // a second pass of the same login stays good
		c.announce(worlds.AnnounceGone, s.account, stay)
	default:
		c.keepKey(h)
	}
}

// expireKey looks at a key whose time may have come.
func (c *core) expireKey(account codec.Name, tick int64) {
	h := c.passes.Find(account)
	if h == nil || h.Owner.armed != tick {
		return
	}
	h.Owner.armed = 0
	switch {
	case c.online[account] != 0:
	case h.Owner.until <= c.now:
		c.count.keysExpired.Add(1)
		c.dropKey(h)
	default:
		h.Owner.armed = c.graces.Arm(account, h.Owner.until)
	}
}

// dropKey wipes a key and says so.
func (c *core) dropKey(h *held) {
	account, stay := h.Account, h.Stay()
	c.passes.Drop(account)
	c.announce(worlds.AnnounceGone, account, stay)
}

// sendAccountAway ends the connection that plays or waits on an account. A place
// in line stays for the grace: the player may be on the way to a new key.
func (c *core) sendAccountAway(account codec.Name, why LeftReason) {
	if s := c.at(account); s != nil {
		c.sendAway(s, why)
	}
}

// ended takes the directory's word that an account's key is to be wiped. Without
// a stamp it is an operator's: then nothing of the account stays, its place in line
// included, nor does what is on its way.
func (c *core) ended(e *worlds.End) {
	h, s := c.passes.Find(e.Account), c.at(e.Account)
	if h != nil && (e.Stamp == 0 || e.Stamp == h.Stamp) {
		c.dropKey(h)
	}
	if s != nil && (e.Stamp == 0 || e.Stamp == s.stamp) {
		told := codec.ResultReplaced
		if e.Stamp == 0 {
			told = codec.ResultKicked
		}
		c.tellEnded(s.origin, e.Why)
		s.origin = nil // told; its place in line, if it keeps one, has nobody to tell
		c.sendAwayWith(s, LeftEnded, told)
	}
	if e.Stamp == 0 {
		c.forget(e)
	}
}

// forget does away with what else there is of an account.
func (c *core) forget(e *worlds.End) {
	account := e.Account
	c.passes.Drop(account) // passes that wait for their client
	if w := c.line.find(account); w != nil {
		c.line.leave(w)
		c.tellEnded(w.origin, e.Why)
	}
	c.each(func(s *session) {
		if s.account == account && getting.has(s.state) {
			c.turnAway(s, RefusalEnded)
		}
	})
}

// announceAll begins to announce all keys here anew: the directory may have lost
// what it knew.
func (c *core) announceAll() {
	c.unannounced = c.unannounced[:0]
	c.passes.Each(func(h *held) { c.unannounced = append(c.unannounced, h.Account) })
}

// announceSome goes on with it, a part with each tick.
func (c *core) announceSome() {
	n := min(len(c.unannounced), announceAtOnce)
	for _, account := range c.unannounced[:n] {
		if h := c.passes.Find(account); h != nil && h.Key() != nil {
			c.announce(worlds.AnnounceHeld, account, h.Stay())
		}
	}
	c.unannounced = c.unannounced[n:]
}
