package gate

import (
	"crypto/subtle"

	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/worlds"
)

// verifyReturn checks the proof of a client whose key a login server claims back
// (protocol page, 8.1). It does the same work for every wrong proof.
func verifyReturn(h *held, p *worlds.Proof) bool {
	var k srp6.SessionKey
	ok := h.Key() != nil && copy(k[:], h.Key().Bytes()) == len(k)
	want := srp6.ReconnectProof(h.Account.Bytes(), &p.Client, &p.Challenge, &k)
	k.Wipe()
	return subtle.ConstantTimeCompare(want[:], p.Digest[:]) == 1 && ok && !p.World
}

// gives reports whether a node may claim a key here. Only login servers may; a key
// moves between worlds only through a login server.
func gives(to worlds.Node) bool { return to.Kind() == worlds.KindLogin }

// settle handles the outcomes of moves. It removes each outcome first, so that a panic
// in one does not lose the others.
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
		if h := c.passes.Pass(o.Pass); h != nil { // its client has not arrived yet
			h.Owner.origin = &origin{from: o.Node, pass: o.Pass}
			return
		}
		c.announce(worlds.AnnounceMoved, o.Account, o.Stay())
		c.taken(o)
	case worlds.OutcomeNotTaken:
		c.notTaken(o.Pass, o.Reason)
	case worlds.OutcomeLeft:
		c.sendAccountAway(o.Account, LeftWentBack) // the new holder announces the key
	case worlds.OutcomeLapsed:
		if o.Reason == worlds.ReasonReplaced && o.Pass == (worlds.PassID{}) {
			c.sendAccountAway(o.Account, LeftReplaced) // the key of a later login is here now
		}
	}
}

// taken handles a key that has arrived, for the client that waits for it or for one
// that has given up.
func (c *core) taken(o *worlds.Outcome[holding]) {
	s := c.claimant(o.Pass)
	h := c.passes.Find(o.Account)
	switch {
	case h == nil: // the key was ended at the same moment
		if s != nil {
			c.turnAway(s, RefusalEnded)
		}
	case s == nil:
		c.keepKey(h)
	case !c.proves(s, h): // the holder should not have sent the key
		c.keepKey(h)
		c.turnAway(s, RefusalProof)
	default:
		c.proven(s, h)
	}
}

// keepKey keeps a key without its player for the reconnect grace.
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

// release ends a session's stay in the world or in the queue and keeps its key. It
// drops the key of a native client, because that client returns with a new pass.
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
		c.passes.DropKey(s.account) // a second pass of the same login stays valid
		c.announce(worlds.AnnounceGone, s.account, stay)
	default:
		c.keepKey(h)
	}
}

// expireKey checks whether a key has expired.
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

// dropKey wipes a key and announces it.
func (c *core) dropKey(h *held) {
	account, stay := h.Account, h.Stay()
	c.passes.Drop(account)
	c.announce(worlds.AnnounceGone, account, stay)
}

// sendAccountAway disconnects an account's player or waiting client. A place in the
// queue stays for the grace, because the player may be fetching a new key.
func (c *core) sendAccountAway(account codec.Name, why LeftReason) {
	if s := c.at(account); s != nil {
		c.sendAway(s, why)
	}
}

// ended handles the directory's message to wipe an account's key. Without a stamp the
// message is from an operator. In that case everything of the account is removed: its
// place in the queue and the passes and keys that are on their way.
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
		s.origin = nil // no progress follows, even if its place in the queue stays
		c.sendAwayWith(s, LeftEnded, told)
	}
	if e.Stamp == 0 {
		c.forget(e)
	}
}

// forget removes everything else of an account.
func (c *core) forget(e *worlds.End) {
	account := e.Account
	c.passes.Drop(account) // passes whose clients have not arrived
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

// announceAll starts to announce all keys again, because the directory may have lost
// them.
func (c *core) announceAll() {
	c.unannounced = c.unannounced[:0]
	c.passes.Each(func(h *held) { c.unannounced = append(c.unannounced, h.Account) })
}

// announceSome announces the next part of them. Each tick calls it.
func (c *core) announceSome() {
	n := min(len(c.unannounced), announceAtOnce)
	for _, account := range c.unannounced[:n] {
		if h := c.passes.Find(account); h != nil && h.Key() != nil {
			c.announce(worlds.AnnounceHeld, account, h.Stay())
		}
	}
	c.unannounced = c.unannounced[n:]
}
