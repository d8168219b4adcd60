package logic

import (
	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/storage"
)

// keyring is the one place where session keys live. A key belongs to an
// account; it is wiped when a newer login replaces it, and when its connection
// is gone and the grace is over.
type keyring struct {
	byName map[storage.Name]*heldKey
	free   []*heldKey
}

// heldKey is one account's session key.
type heldKey struct {
	key srp6.SessionKey
	// holder is the connection that proved it, 0 once that is closed.
	holder codec.Conn
	// until is when it is wiped, in milliseconds, while it has no holder.
	until int64
	// armed is the tick of the wheel entry that will look at this key, or 0.
	armed int64
}

func newKeyring() keyring { return keyring{byName: make(map[storage.Name]*heldKey)} }

// hold puts a key in, wiping an older one, and returns who held that, or 0.
func (k *keyring) hold(name storage.Name, conn codec.Conn, key *srp6.SessionKey) (older codec.Conn) {
	h, ok := k.byName[name]
	switch {
	case ok:
		older = h.holder
	case len(k.free) > 0:
		h = k.free[len(k.free)-1]
		k.free = k.free[:len(k.free)-1]
		k.byName[name] = h
	default:
		h = new(heldKey)
		k.byName[name] = h
	}
	*h = heldKey{key: *key, holder: conn, armed: h.armed}
	return older
}

// find is the account's key, or nil.
func (k *keyring) find(name storage.Name) *heldKey { return k.byName[name] }

// drop wipes the account's key.
func (k *keyring) drop(name storage.Name) {
	if h := k.byName[name]; h != nil {
		h.key.Wipe()
		*h = heldKey{}
		delete(k.byName, name)
		k.free = append(k.free, h)
	}
}

// wipe drops every key.
func (k *keyring) wipe() {
	for name := range k.byName {
		k.drop(name)
	}
}

// releaseKey notes that a session is gone: its key, if it holds one, is good for
// the reconnect grace.
func (c *Core) releaseKey(s *session) {
	h := c.keys.find(s.name)
	if h == nil || h.holder != s.conn {
		return
	}
	h.holder, h.until = 0, c.now+c.options.ReconnectGrace.Milliseconds()
	if c.options.ReconnectGrace == 0 {
		c.keys.drop(s.name)
	} else if h.armed == 0 {
		h.armed = c.graces.arm(s.name, h.until)
	}
}

// expireKey looks at a key whose time may have come.
func (c *Core) expireKey(name storage.Name, tick int64) {
	h := c.keys.find(name)
	if h == nil || h.armed != tick {
		return
	}
	h.armed = 0
	switch {
	case h.holder != 0:
	case h.until <= c.now:
		c.keys.drop(name)
	default:
		h.armed = c.graces.arm(name, h.until)
	}
}
