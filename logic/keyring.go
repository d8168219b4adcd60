package logic

import (
	"crypto/subtle"
	"slices"
	"time"

	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/codec/world"
	"gatepass/deadline"
	"gatepass/storage"
	"gatepass/worlds"
)

// holding is what the logic keeps with each session key. The keys themselves
// live in worlds.Passes and nowhere else; a key is wiped when a newer login
// replaces it, when it has moved to a world or another login server, and when
// its connection is gone and the grace is over.
type holding struct {
	// holder is the connection that proved it, 0 once that is closed.
	holder codec.Conn
	// until is when it is wiped, in milliseconds, while it has no holder.
	until int64
	// armed is the tick of the wheel entry that will look at this key, or 0.
	armed int64
}

type heldKey = worlds.Held[holding]

// newKeys makes the keyring of a node.
func newKeys(o *Options, v *worlds.Vouchers) *worlds.Passes[holding] {
	self := o.Node
	return worlds.NewPasses(worlds.PassOptions[holding]{
		Self:     self,
		Validity: o.PassValidity,
		Vouchers: v,
		Verify:   proves,
		Gives: func(to worlds.Node) bool {
			return to != self && (to.Kind() == worlds.KindWorld || to.Kind() == worlds.KindLogin)
		},
	})
}

// proves tells whether a client that knocked elsewhere has the key that is held
// here: at a world's gate, or at another login server that it came back to.
func proves(h *heldKey, proof *worlds.Proof) bool {
	var key srp6.SessionKey
	whole := copy(key[:], h.Key().Bytes()) == len(key) // that of a native client is shorter
	defer key.Wipe()
	want := srp6.ReconnectProof(h.Account.Bytes(), &proof.Client, &proof.Challenge, &key)
	if proof.World {
		want = world.Digest(h.Account.Bytes(), proof.ClientSeed, proof.ServerSeed, (*[len(key)]byte)(&key))
	}
	return subtle.ConstantTimeCompare(want[:], proof.Digest[:]) == 1 && whole
}

// hold takes in the key of a login that has just been proven; random makes the login's
// stamp unique. A session that has an older key of the account ends.
func (c *Core) hold(s *session, key *worlds.Secret, random uint32) {
	c.holdAs(s, key, random, worlds.AnnounceFresh)
}

// holdAs is hold, told to the directory as a login of somebody who comes, or who has
// been in all the time (worlds.AnnounceRenewed).
func (c *Core) holdAs(s *session, key *worlds.Secret, random uint32, kind worlds.AnnouncementKind) {
	// Two logins between two ticks have the same time; the later one has to win.
	c.stamp = max(c.stamp+1, worlds.NewStamp(c.wall, random))
	stamp := c.stamp
	h, older := c.keys.Hold(codec.Name(s.name), stamp, key)
	h.Owner.holder = s.conn
	c.announce(h, kind)
	c.ended = slices.DeleteFunc(c.ended, func(e endedAccount) bool { return e.Account == h.Account })
	if older == nil {
		return
	}
	h.Owner.armed = older.armed
	if older.holder != 0 && older.holder != s.conn {
		c.endConn(older.holder, endSecondLogin)
	}
}

// keyOf is the account's key while it may be accepted here, or nil.
func (c *Core) keyOf(name storage.Name) *heldKey {
	if h := c.keys.Find(codec.Name(name)); h != nil && h.Key() != nil {
		return h
	}
	return nil
}

// dropKey wipes an account's key and tells the directory.
func (c *Core) dropKey(h *heldKey) {
	c.announce(h, worlds.AnnounceGone)
	c.keys.Drop(h.Account)
}

// wipeKeys drops every key, at the end.
func (c *Core) wipeKeys() {
	var names []codec.Name
	c.keys.Each(func(h *heldKey) { names = append(names, h.Account) })
	for _, name := range names {
		c.keys.Drop(name)
	}
}

// releaseKey notes that a session is gone: its key, if it holds one, is kept for the grace.
func (c *Core) releaseKey(s *session, grace time.Duration) {
	h := c.keys.Find(codec.Name(s.name))
	if h == nil || h.Owner.holder != s.conn {
		return
	}
	o := &h.Owner
	o.holder, o.until = 0, c.now+grace.Milliseconds()
	if grace == 0 {
		c.dropKey(h)
	} else if o.armed == 0 || deadline.TickOf(o.until) < o.armed {
		o.armed = c.graces.Arm(s.name, o.until)
	}
}

// expireKey looks at a key whose time may have come.
func (c *Core) expireKey(name storage.Name, tick int64) {
	h := c.keys.Find(codec.Name(name))
	if h == nil || h.Owner.armed != tick {
		return
	}
	o := &h.Owner
	o.armed = 0
	switch {
	case o.holder != 0:
	case o.until <= c.now:
		c.dropKey(h)
	default:
		o.armed = c.graces.Arm(name, o.until)
	}
}
