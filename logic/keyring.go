package logic

import (
	"crypto/subtle"

	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/codec/world"
	"gatepass/deadline"
	"gatepass/storage"
	"gatepass/worlds"
)

// keyring has the session keys of the accounts. The keys themselves are in worlds.Passes
// and nowhere else. A key is wiped when a newer login replaces it, when it has moved to a
// world or another login server, and when its connection is closed and the grace is over.
type keyring struct {
	base
	directory *directory
	passes    *worlds.Passes[holding]
	vouchers  *worlds.Vouchers // those of passes
	// stamp is that of the last login.
	stamp  worlds.Stamp
	graces deadline.Wheel[storage.Name]
	// unannounced are the keys that the directory has yet to be told of.
	unannounced []codec.Name
}

// holding is what the keyring notes with each key.
type holding struct {
	// holder is the connection that proved it, 0 once that is closed.
	holder codec.Conn
	// until is when it is wiped, in milliseconds, while it has no holder.
	until int64
	// armed is the tick of the wheel entry that will look at this key, or 0.
	armed int64
}

type heldKey = worlds.Held[holding]

func newKeyring(b base, d *directory) keyring {
	self := b.options.Node
	vouchers := worlds.NewVouchers(nil)
	return keyring{base: b, directory: d, vouchers: vouchers, passes: worlds.NewPasses(worlds.PassOptions[holding]{
		Self:     self,
		Validity: b.options.PassValidity,
		Vouchers: vouchers,
		Verify:   proves,
		Gives: func(to worlds.Node) bool {
			return to != self && (to.Kind() == worlds.KindWorld || to.Kind() == worlds.KindLogin)
		},
	})}
}

// proves tells whether a client that connected elsewhere has the key that is held here: to
// a world's gate, or to another login server that it came back to.
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

// login is a login whose key the keyring is to hold.
type login struct {
	name storage.Name
	conn codec.Conn
	key  *worlds.Secret
	// random makes the login's stamp unique.
	random uint32
	// kind is what the directory is told: a new player (worlds.AnnounceFresh), or a login
	// that replaces one of a player who was in already (worlds.AnnounceRenewed).
	kind worlds.AnnouncementKind
}

// hold takes in the key of a login that has just been proven. It returns the connection
// that had an older key of the account, which is to end, or 0.
func (k *keyring) hold(l login) (older codec.Conn) {
	// Two logins between two ticks have the same time; the later one has to win.
	k.stamp = max(k.stamp+1, worlds.NewStamp(k.wall, l.random))
	h, before := k.passes.Hold(codec.Name(l.name), k.stamp, l.key)
	h.Owner.holder = l.conn
	k.directory.announce(h.Account, h.Stamp, h.Hop, l.kind)
	k.directory.cameIn(h.Account)
	if before == nil {
		return 0
	}
	h.Owner.armed = before.armed
	if before.holder == l.conn {
		return 0
	}
	return before.holder
}

// find returns what is held of an account's key, or nil; the key itself may be on its way
// to another node.
func (k *keyring) find(name storage.Name) *heldKey { return k.passes.Find(codec.Name(name)) }

// usable returns the account's key while it may be accepted here, or nil.
func (k *keyring) usable(name storage.Name) *heldKey {
	if h := k.find(name); h != nil && h.Key() != nil {
		return h
	}
	return nil
}

// heldBy returns the key that a connection holds of its account, or nil.
func (k *keyring) heldBy(s *session) *heldKey {
	if h := k.usable(s.name); h != nil && h.Owner.holder == s.conn {
		return h
	}
	return nil
}

// holder returns the connection that holds an account's key, or 0.
func (k *keyring) holder(name storage.Name) codec.Conn {
	if h := k.find(name); h != nil {
		return h.Owner.holder
	}
	return 0
}

// handTo makes a connection the holder of a key and returns the one before it, or 0.
func (k *keyring) handTo(h *heldKey, conn codec.Conn) (older codec.Conn) {
	if older = h.Owner.holder; older == conn {
		return 0
	}
	h.Owner.holder = conn
	return older
}

// drop wipes an account's key, one that is on its way here included, and tells the
// directory of one that is here.
func (k *keyring) drop(name storage.Name) {
	if h := k.find(name); h != nil {
		k.announce(h, worlds.AnnounceGone)
	}
	k.passes.Drop(codec.Name(name))
}

// offer begins to hand a pass to a world's gate.
func (k *keyring) offer(h *heldKey, pass worlds.PassID, to worlds.Node, key *worlds.Secret) error {
	return k.passes.Offer(pass, h.Account, h.Stamp, to, key)
}

// recall calls a pass back. If the gate has settled it already, its outcome is on the way.
func (k *keyring) recall(pass worlds.PassID) { _ = k.passes.Recall(pass) }

// moved wipes a key that a world has now: the world tells the directory.
func (k *keyring) moved(name codec.Name) { k.passes.Drop(name) }

// wipe drops every key, at the end.
func (k *keyring) wipe() {
	var names []codec.Name
	k.passes.Each(func(h *heldKey) { names = append(names, h.Account) })
	for _, name := range names {
		k.passes.Drop(name)
	}
}

// release notes that a session is gone: its key, if it holds one, is kept for the grace.
func (k *keyring) release(s *session, milliseconds int64) {
	h := k.find(s.name)
	if h == nil || h.Owner.holder != s.conn {
		return
	}
	o := &h.Owner
	o.holder, o.until = 0, k.now+milliseconds
	if milliseconds == 0 {
		k.drop(s.name)
	} else if o.armed == 0 || deadline.TickOf(o.until) < o.armed {
		o.armed = k.graces.Arm(s.name, o.until)
	}
}

// keep keeps a key whose client is not here for the reconnect grace.
func (k *keyring) keep(h *heldKey) {
	h.Owner.until = k.now + k.options.ReconnectGrace.Milliseconds()
	h.Owner.armed = k.graces.Arm(storage.Name(h.Account), h.Owner.until)
}

// moves is how many keys are on their way, len how many are held.
func (k *keyring) moves() int { return k.passes.Moves() }
func (k *keyring) len() int   { return k.passes.Len() }

// outgoing are this round's messages about moves, and outcomes how moves came out.
func (k *keyring) outgoing() []worlds.OutgoingMove     { return k.passes.Outgoing() }
func (k *keyring) outcomes() []worlds.Outcome[holding] { return k.passes.Outcomes() }

// handle takes a message of another node about a move, and wipes the key in it.
func (k *keyring) handle(from worlds.Node, m *worlds.Move) {
	k.passes.Handle(from, m)
	m.Key.Wipe()
}

// vouchBy makes key that of the region's vouchers; an empty one changes nothing.
func (k *keyring) vouchBy(key *worlds.Secret) { k.vouchers.SetKey(key) }

// claim asks another node for an account's key.
func (k *keyring) claim(pass worlds.PassID, account codec.Name, from worlds.Node, proof *worlds.Proof) error {
	return k.passes.Claim(pass, account, from, proof)
}

// abandon gives up a claim.
func (k *keyring) abandon(pass worlds.PassID) { k.passes.Abandon(pass) }

// tick wipes the keys whose grace is over, and repeats what is not answered.
func (k *keyring) tick() {
	k.graces.Advance(k.now, k.expire)
	k.passes.Tick(k.now)
}

// expire looks at a key whose time may have come.
func (k *keyring) expire(name storage.Name, tick int64) {
	h := k.find(name)
	if h == nil || h.Owner.armed != tick {
		return
	}
	o := &h.Owner
	o.armed = 0
	switch {
	case o.holder != 0:
	case o.until <= k.now:
		k.drop(name)
	default:
		o.armed = k.graces.Arm(name, o.until)
	}
}

func (k *keyring) announce(h *heldKey, kind worlds.AnnouncementKind) {
	k.directory.announce(h.Account, h.Stamp, h.Hop, kind)
}

// announceAll has the directory told of every key that is here, a part with each tick: it
// has lost what it knew, or may have.
func (k *keyring) announceAll() {
	k.unannounced = k.unannounced[:0]
	k.passes.Each(func(h *heldKey) { k.unannounced = append(k.unannounced, h.Account) })
}

// announceSome takes the next part of announceAll.
func (k *keyring) announceSome() {
	n := min(len(k.unannounced), announceChunk)
	for _, name := range k.unannounced[len(k.unannounced)-n:] {
		if h := k.usable(storage.Name(name)); h != nil {
			k.announce(h, worlds.AnnounceHeld)
		}
	}
	k.unannounced = k.unannounced[:len(k.unannounced)-n]
}
