package gate

import (
	"crypto/subtle"
	"errors"
	"slices"

	"gatepass/auth/keyschedule"
	"gatepass/codec"
	"gatepass/worlds"
)

// A native client enters with a pass that a login server has offered to this world before.
// A pass admits one client, once. Its key becomes the account's key here until the client
// leaves, so that a later login ends the session.

// passKeySize is the size of a pass's key, in bytes.
const passKeySize = 32

// handshake is the state of a native client's handshake with the gate. key is the key of
// the pass, or zeros if the pass is unknown here; stay belongs to the pass.
type handshake struct {
	keyschedule.Knock
	key, transcript [passKeySize]byte
	stay            worlds.Stay
}

// takes returns the reason to refuse a pass that a login server offers, or ReasonNone. A
// full world accepts passes as long as its queue has room.
func (c *core) takes(from worlds.Node, m *worlds.Move) worlds.Reason {
	switch {
	case from.Kind() != worlds.KindLogin:
		return worlds.ReasonForeign
	case len(m.Key.Bytes()) != passKeySize:
		return worlds.ReasonUnknown // not a pass of this protocol
	case c.draining || c.line.len() >= c.options.MaxQueue || c.passes.Len() >= c.options.maxKeys():
		return worlds.ReasonFull
	}
	return worlds.ReasonNone
}

// startHandshake checks the pass and proof of a native client. It does the same work for
// an unknown pass as for a known one, so that the time does not tell them apart.
func (c *core) startHandshake(s *session, m *codec.Message) {
	s.attempt.started, s.build = c.now, m.Hello.Build
	if builds := c.options.World.NativeBuilds; len(builds) > 0 && !slices.Contains(builds, s.build) {
		c.turnAway(s, RefusalBuild)
		return
	}
	k := c.handshakeOf(s, m.Native)
	defer clear(k.key[:])
	pass := worlds.PassID(k.Pass)
	h := c.passes.Pass(pass)
	if h != nil {
		copy(k.key[:], h.Key().Bytes())
	}
	want := k.ClientProof(&k.key)
	right := subtle.ConstantTimeCompare(want[:], m.Native.Proof[:]) == 1
	switch {
	case h == nil:
		c.turnAway(s, c.passRefusal(pass))
	case !right:
		c.turnAway(s, RefusalProof) // the pass stays valid for its client
	case c.overtaken(h):
		c.turnAway(s, RefusalEnded)
	default:
		c.usePass(s, &k)
		c.accept(s, &k)
	}
}

// handshakeOf returns the client's part of the handshake, without the key.
func (c *core) handshakeOf(s *session, hello *codec.NativeMessage) (k handshake) {
	k.World, k.Pass, k.transcript = c.options.World.ID, hello.Pass, hello.Transcript
	k.Nonces = keyschedule.Nonces{Client: hello.Nonce, Server: s.attempt.nonce}
	return k
}

// passRefusal returns the reason to refuse a pass that is not live here. A pass for
// another world, and one that expired long ago, are unknown here.
func (c *core) passRefusal(pass worlds.PassID) Refusal {
	if _, err := c.passes.Use(pass); errors.Is(err, worlds.ErrUsed) {
		return RefusalPassUsed
	}
	return RefusalUnknown
}

// overtaken reports whether this world holds the key of a later login.
func (c *core) overtaken(pass *held) bool {
	h := c.passes.Find(pass.Account)
	return h != nil && h.Stamp > pass.Stamp
}

// usePass uses up a live pass with which a client has authenticated.
func (c *core) usePass(s *session, k *handshake) {
	h, err := c.passes.Use(k.Pass)
	if err != nil {
		panic("gate: a live pass cannot be used")
	}
	c.count.passesUsed.Add(1)
	s.proven = true
	s.account, s.stamp, s.origin, k.stay = h.Account, h.Stamp, h.Owner.origin, h.Stay()
}

// accept sends an authenticated client the gate's own proof and admits it to the world or
// to the queue. All later messages to the client are encrypted.
func (c *core) accept(s *session, k *handshake) {
	n := &codec.NativeReply{Proof: k.GateProof(&k.key)}
	n.Keys.ToServer, n.Keys.ToClient = k.Channel(&k.key, &k.transcript)
	c.reply(s, &codec.Reply{Kind: codec.ReplyGateAccepted, Native: n})
	if s.state == StateLeaving {
		return // the reply found no room
	}
	older := c.at(s.account)
	switch {
	case older != nil && older.stamp != s.stamp: // later login stays
		c.sendAway(older, LeftReplaced)
		older = nil
	case older != nil && c.options.SecondLogin == worlds.SecondLoginRefuse:
		c.turnAway(s, RefusalOnline)
		return
	}
	secret := worlds.NewSecret(k.key[:])
	c.passes.HoldAt(s.account, k.stay, &secret)
	secret.Wipe()
	c.announce(worlds.AnnounceMoved, s.account, k.stay)
	c.admit(s, older)
}
