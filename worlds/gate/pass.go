package gate

import (
	"crypto/subtle"
	"errors"
	"slices"

	"gatepass/auth/keyschedule"
	"gatepass/codec"
	"gatepass/worlds"
)

// Clients of the native protocol come with a pass that a login server has offered
// for them before. It lets one client in, once; its key becomes the account's key
// here as long as the client stays, so that a later login ends the stay.

// passKeySize is the size of a pass's key, in bytes.
const passKeySize = 32

// knock is a pass that a client shows. The key is ours, zeros where the pass is not
// known here; stay is the pass's.
type knock struct {
	keyschedule.Knock
	key, transcript [passKeySize]byte
	stay            worlds.Stay
}

// takes tells whether a pass that a login server offers is welcome. A full world
// takes passes as long as there is room in its line.
func (c *core) takes(from worlds.Node, m *worlds.Move) worlds.Reason {
	switch {
	case from.Kind() != worlds.KindLogin:
		return worlds.ReasonForeign
	case len(m.Key.Bytes()) != passKeySize:
		return worlds.ReasonUnknown // no pass of this protocol
	case c.draining || c.line.len() >= c.options.MaxQueue || c.passes.Len() >= c.options.maxKeys():
		return worlds.ReasonFull
	}
	return worlds.ReasonNone
}

// knocked takes the pass that a native client shows. Until its proof is found right
// all passes are alike: the same is computed for one that is not known here.
func (c *core) knocked(s *session, m *codec.Message) {
	s.attempt.started, s.build = c.now, m.Hello.Build
	if builds := c.options.World.NativeBuilds; len(builds) > 0 && !slices.Contains(builds, s.build) {
		c.turnAway(s, RefusalBuild)
		return
	}
	k := c.knockOf(s, m.Native)
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
		c.turnAway(s, RefusalProof) // the pass stays good for whom it is
	case c.overtaken(h):
		c.turnAway(s, RefusalEnded)
	default:
		c.usePass(s, &k)
		c.accept(s, &k)
	}
}

// knockOf is what a client shows, without the key.
func (c *core) knockOf(s *session, hello *codec.NativeMessage) (k knock) {
	k.World, k.Pass, k.transcript = c.options.World.ID, hello.Pass, hello.Transcript
	k.Nonces = keyschedule.Nonces{Client: hello.Nonce, Server: s.attempt.nonce}
	return k
}

// passRefusal is what is wrong with a pass that is not live here. One that was
// meant for another world, or is over for long, is not known here.
func (c *core) passRefusal(pass worlds.PassID) Refusal {
	if _, err := c.passes.Use(pass); errors.Is(err, worlds.ErrUsed) {
		return RefusalPassUsed
	}
	return RefusalUnknown
}

// overtaken tells whether the key of a later login is here.
func (c *core) overtaken(pass *held) bool {
	h := c.passes.Find(pass.Account)
	return h != nil && h.Stamp > pass.Stamp
}

// usePass ends a live pass, by which a client has proven who it is.
func (c *core) usePass(s *session, k *knock) {
	h, err := c.passes.Use(k.Pass)
	if err != nil {
		panic("gate: a live pass cannot be used")
	}
	c.count.passesUsed.Add(1)
	s.proven = true
	s.account, s.stamp, s.origin, k.stay = h.Account, h.Stamp, h.Owner.origin, h.Stay()
}

// accept tells a client that its proof was right, proves the gate to it, and lets
// it in, into the world or the line. Whatever it is told from here on is sealed.
func (c *core) accept(s *session, k *knock) {
	n := &codec.NativeReply{Proof: k.GateProof(&k.key)}
	n.Keys.ToServer, n.Keys.ToClient = k.Channel(&k.key, &k.transcript)
	c.reply(s, &codec.Reply{Kind: codec.ReplyGateAccepted, Native: n})
	if s.state == StateLeaving {
		return // there was no room for it
	}
	older := c.at(s.account)
	switch {
	case older != nil && older.stamp != s.stamp: // of two logins the later stays, whatever the rule
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
