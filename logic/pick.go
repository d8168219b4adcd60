package logic

import (
	"encoding/binary"

	"gatepass/auth/keyschedule"
	"gatepass/codec"
	"gatepass/worlds"
)

// How a native client gets the pass of the world that it picks. Its account's key
// here is the secret that passes are drawn from; a world is only ever given the key
// of one pass. When the gate has taken that, the directory goes by the world, and
// the secret waits in the session: picking again is then a login anew, with which
// the directory ends what was before it.

// worldSelected goes on when no filter objected to the pick, s.native.wanted.
func (c *Core) worldSelected(s *session) {
	n := s.native
	if reason := c.unfit(s); reason != 0 {
		c.selectRefused(s, n.wanted, reason)
		n.wanted = 0
		return
	}
	switch s.state {
	case StateHandingOff:
		c.recall(s)
	case StateInWorld:
		if s.native.secret == nil { // its key was replaced here while the gate took the pass
			c.end(s, endKeyReplaced)
			return
		}
		c.renew(s)
		c.become(s, StateChoosing)
		c.offerPass(s)
	default:
		c.offerPass(s)
	}
}

// unfit is why the wanted world cannot be entered, 0 when it can.
func (c *Core) unfit(s *session) codec.SelectReason {
	w, ok := worlds.NativeWorld{}, false
	if s.native.wanted != 0 {
		w, ok = c.ports.Worlds.NativeFind(s.native.wanted, c.askOf(s))
	}
	switch {
	case !ok:
		return codec.SelectUnknown
	case w.Mismatch:
		return codec.SelectMismatch
	case w.Offline, c.alone:
		return codec.SelectOffline
	}
	return 0
}

// selectRefused tells a client that it gets no pass.
func (c *Core) selectRefused(s *session, world uint8, reason codec.SelectReason) {
	c.count.selectRefused[reason].Add(1)
	c.reply = codec.Reply{Kind: codec.ReplySelectRefused, Number: uint64(world), Native: &codec.NativeReply{
		Reason: reason, Alternatives: c.ports.Worlds.Alternatives(c.askOf(s), world),
	}}
	c.send(s)
}

// enterWorld notes that a client's key went to a world with it.
func (c *Core) enterWorld(s *session, h *heldKey) {
	if h.Key() != nil {
		secret := *h.Key()
		s.native.secret = &secret
	}
	s.native.stamp = h.Stamp
	c.inWorld[h.Account] = s.conn
}

// leftWorld undoes it.
func (c *Core) leftWorld(s *session) {
	if c.inWorld[codec.Name(s.name)] == s.conn {
		delete(c.inWorld, codec.Name(s.name))
	}
}

// offerPass begins to hand a pass to the gate of the wanted world.
func (c *Core) offerPass(s *session) {
	n := s.native
	h := c.keys.Find(codec.Name(s.name))
	if h == nil || h.Key() == nil || h.Owner.holder != s.conn { // a bug of ours: who loses its key is sent away
		c.end(s, endKeyReplaced)
		return
	}
	world := n.wanted
	n.wanted, n.pass, n.left = 0, worlds.PassID{}, false
	if !c.pool.random(n.pass[:]) {
		c.selectRefused(s, world, codec.SelectBusy)
		return
	}
	if n.picked { // whatever came of the pass before, it is an older login's from now on
		h = c.again(s, h)
	}
	n.picked = true
	session := [32]byte(h.Key().Bytes())
	passKey := keyschedule.PassKey(&session, world, (*[16]byte)(&n.pass))
	key := worlds.NewSecret(passKey[:])
	err := c.keys.Offer(n.pass, h.Account, h.Stamp, worlds.WorldNode(world), &key)
	key.Wipe()
	clear(passKey[:])
	clear(session[:])
	if err != nil {
		n.pass = worlds.PassID{}
		c.selectRefused(s, world, codec.SelectBusy)
		return
	}
	n.world = world
	c.picks[n.pass] = s.conn
	if s.state != StateHandingOff {
		c.become(s, StateHandingOff)
	}
}

// again makes a login of a session's key that is newer than any of its passes: should
// one of them have let the client into a world without this server's hearing of it,
// the directory ends that.
func (c *Core) again(s *session, h *heldKey) *heldKey {
	key := *h.Key()
	c.holdAs(s, &key, binary.LittleEndian.Uint32(s.native.pass[:]), worlds.AnnounceRenewed)
	key.Wipe()
	return c.keys.Find(codec.Name(s.name))
}

// recall calls the pass back that was offered before; what is to come next comes
// when that is settled.
func (c *Core) recall(s *session) {
	_ = c.keys.Recall(s.native.pass) // its outcome is on the way when it is settled already
}

// releaseWorld gives the picked world back.
func (c *Core) releaseWorld(s *session) {
	s.native.wanted, s.native.releasing = 0, true
	if s.state == StateHandingOff {
		c.recall(s)
		return
	}
	c.released(s)
}

func (c *Core) released(s *session) {
	s.native.releasing = false
	c.reply = codec.Reply{Kind: codec.ReplyWorldReleased}
	c.send(s)
}

// renew takes the secret of a client whose key has gone to a world back in, as a
// login anew.
func (c *Core) renew(s *session) {
	c.forgetPick(s)
	c.leftWorld(s)
	c.holdAs(s, s.native.secret, uint32(c.now), worlds.AnnounceRenewed)
	s.native.forgetSecret()
	s.native.picked = false // this is a login anew already
}

// cameBack takes a client back to the list that has left its world, or the line there:
// the directory goes by this server again.
func (c *Core) cameBack(s *session) {
	if s.state != StateInWorld || s.native.secret == nil {
		s.native.left = true // the gate's word that it took the pass is still to come
		return
	}
	c.renew(s)
	c.become(s, StateChoosing)
}

// picker is the session that a pass is for, or nil.
func (c *Core) picker(pass worlds.PassID) *session {
	if s := c.sessions.get(c.picks[pass]); s != nil && s.native.pass == pass {
		return s
	}
	return nil
}

// forgetPick lets go of the pass that a session had last.
func (c *Core) forgetPick(s *session) {
	delete(c.picks, s.native.pass)
	s.native.pass = worlds.PassID{}
}

// passIssued: the gate holds the pass, the client may go.
func (c *Core) passIssued(o *worlds.Outcome[holding]) {
	s := c.picker(o.Pass)
	if s == nil || s.state != StateHandingOff || s.native.wanted != 0 || s.native.releasing {
		return
	}
	w, ok := c.ports.Worlds.NativeFind(s.native.world, c.askOf(s))
	if !ok || w.Address == "" { // it was taken out of the list in the same moment
		c.recall(s)
		return
	}
	c.reply = codec.Reply{Kind: codec.ReplyPassIssued, Number: uint64(s.native.world), Native: &codec.NativeReply{
		Pass: o.Pass, Address: w.Address, Validity: uint32(c.options.PassValidity.Milliseconds()),
	}}
	c.send(s)
}

// passKept: the pass came to nothing, and no world has it.
func (c *Core) passKept(o *worlds.Outcome[holding]) {
	s := c.picker(o.Pass)
	delete(c.picks, o.Pass)
	if s == nil || s.state != StateHandingOff {
		return
	}
	n := s.native
	n.pass = worlds.PassID{}
	switch {
	case n.wanted != 0:
		c.offerPass(s)
		if s.state == StateHandingOff && n.pass == (worlds.PassID{}) {
			c.become(s, StateChoosing)
		}
		return
	case c.draining:
		c.end(s, endDrained)
		return
	}
	c.become(s, StateChoosing)
	if n.releasing {
		c.released(s)
		return
	}
	c.selectRefused(s, n.world, selectReasons[o.Reason])
}

// selectReasons are what a client is told for what has become of its pass.
var selectReasons = [worlds.ReasonCount]codec.SelectReason{
	worlds.ReasonNone: codec.SelectBusy, worlds.ReasonUnknown: codec.SelectTimeout, worlds.ReasonProof: codec.SelectBusy,
	worlds.ReasonBusy: codec.SelectBusy, worlds.ReasonForeign: codec.SelectMismatch, worlds.ReasonFull: codec.SelectFull,
	worlds.ReasonUsed: codec.SelectBusy, worlds.ReasonExpired: codec.SelectExpired, worlds.ReasonReplaced: codec.SelectBusy,
	worlds.ReasonTimeout: codec.SelectTimeout, worlds.ReasonRecalled: codec.SelectExpired,
}

// passAdmitted: the gate has taken the pass, which is the account's key from now on.
func (c *Core) passAdmitted(o *worlds.Outcome[holding]) {
	s := c.picker(o.Pass)
	h := c.keys.Find(o.Account)
	if h != nil && h.Stamp == o.Stamp {
		if s != nil {
			c.enterWorld(s, h)
		}
		c.keys.Drop(o.Account) // the world announces it
	}
	if s == nil || s.state != StateHandingOff {
		delete(c.picks, o.Pass)
		return
	}
	c.become(s, StateInWorld)
	switch n := s.native; {
	case c.draining:
		c.end(s, endDrained)
	case n.wanted != 0: // the client selected another world during the hand-off
		c.raise(Event{Kind: EventWorldSelected, conn: s.conn})
	case n.releasing:
		c.released(s)
	case n.left:
		c.cameBack(s)
	}
}

// progressed tells a client how far it is at the gate.
func (c *Core) progressed(from worlds.Node, p *worlds.Progress) {
	s := c.picker(p.Pass)
	if s == nil || !s.welcomed() || from != worlds.WorldNode(s.native.world) {
		return
	}
	switch {
	case p.Ended == worlds.EndedLeft:
		c.cameBack(s)
		return
	case p.Ended != "": // the directory ended the client there, and so this connection
		c.endSaying(s, directoryReason(p.Ended, p.Ended == whyCommand), p.Ended)
		return
	}
	c.reply = codec.Reply{Kind: codec.ReplyQueuePosition, Number: uint64(p.Position)}
	if p.Position == 0 {
		c.reply = codec.Reply{Kind: codec.ReplyEntered, Number: uint64(s.native.world)}
	}
	c.send(s)
}
