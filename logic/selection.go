package logic

import (
	"encoding/binary"

	"gatepass/auth/keyschedule"
	"gatepass/codec"
	"gatepass/storage"
	"gatepass/worlds"
)

// selection hands passes for worlds to native clients.
//
// An account's key here is the secret that passes are derived from; a world is only ever
// given the key of one pass. When the gate has taken a pass, the world is the account's
// place in the directory, and the secret stays in the session. Selecting a world again is
// then a new login, for which the directory ends the one before.
type selection struct {
	base
	desk   selectionDesk
	rules  *rules
	keys   *keyring
	pool   *keyPool
	worlds WorldList
	alone  bool // there is no region
	// offered has the connection that each offered pass is for.
	offered map[worlds.PassID]codec.Conn
	// inWorld has the native clients whose keys went to a world with them.
	inWorld map[codec.Name]codec.Conn
}

// selectionDesk is what the selection does with sessions.
type selectionDesk interface {
	desk
	// hold takes in a key, and ends the session that had an older one.
	hold(l login)
	// endIfDraining ends a session if this server stops soon.
	endIfDraining(s *session) bool
}

// worldPick is the world that a native client has selected.
type worldPick struct {
	// secret is what pass keys are derived from while the account's key is not here,
	// because it went to a world with the client. stamp is that login's.
	secret *worlds.Secret
	stamp  worlds.Stamp
	// pass is the last one offered, to world.
	pass  worlds.PassID
	world uint8
	// wanted is the world to offer a pass to when the one before is settled, 0 for none.
	// releasing says that the client gave the one before back.
	wanted    uint8
	releasing bool
	// picked: this login has offered a pass before. left: the client left the world
	// before this server heard that the gate had taken the pass.
	picked, left bool
}

// want notes the world that a client selects; the rules are asked about it.
func (w *selection) want(s *session, number uint64) {
	s.native.wanted, s.native.releasing = uint8(min(number, worlds.MaxWorlds+1)), false
	w.rules.raise(EventWorldSelected, s)
}

// refuse refuses a selection: the client stays where it is.
func (w *selection) refuse(s *session) {
	w.tellRefused(s, s.native.wanted, codec.SelectBusy)
	s.native.wanted = 0
}

// begin goes on when no rule objected to the wanted world.
func (w *selection) begin(s *session) {
	n := s.native
	if reason := w.unfit(s); reason != 0 {
		w.tellRefused(s, n.wanted, reason)
		n.wanted = 0
		return
	}
	switch s.state {
	case StateHandingOff:
		w.recall(s)
	case StateInWorld:
		if s.native.secret == nil { // its key was replaced here while the gate took the pass
			w.desk.end(s, endKeyReplaced)
			return
		}
		w.renew(s)
		w.desk.become(s, StateChoosing)
		w.offer(s)
	default:
		w.offer(s)
	}
}

// unfit is why the wanted world cannot be entered, 0 when it can.
func (w *selection) unfit(s *session) codec.SelectReason {
	found, ok := worlds.NativeWorld{}, false
	if s.native.wanted != 0 {
		found, ok = w.worlds.NativeFind(s.native.wanted, askOf(s))
	}
	switch {
	case !ok:
		return codec.SelectUnknown
	case found.Mismatch:
		return codec.SelectMismatch
	case found.Offline, w.alone:
		return codec.SelectOffline
	}
	return 0
}

// tellRefused tells a client that it gets no pass.
func (w *selection) tellRefused(s *session, world uint8, reason codec.SelectReason) {
	w.count.selectRefused[reason].Add(1)
	w.desk.say(s, codec.Reply{Kind: codec.ReplySelectRefused, Number: uint64(world), Native: &codec.NativeReply{
		Reason: reason, Alternatives: w.worlds.Alternatives(askOf(s), world),
	}})
}

// enterWorld notes that a client's key went to a world with it.
func (w *selection) enterWorld(s *session, h *heldKey) {
	if h.Key() != nil {
		secret := *h.Key()
		s.native.secret = &secret
	}
	s.native.stamp = h.Stamp
	w.inWorld[h.Account] = s.conn
}

// leftWorld undoes it.
func (w *selection) leftWorld(s *session) {
	if w.inWorld[codec.Name(s.name)] == s.conn {
		delete(w.inWorld, codec.Name(s.name))
	}
}

// player returns the connection of a client whose key went to a world with it, by the login
// with that stamp, or by any for 0.
func (w *selection) player(account codec.Name, stamp worlds.Stamp) codec.Conn {
	conn := w.inWorld[account]
	if s := w.desk.session(conn); s == nil || stamp != 0 && stamp != s.native.stamp {
		return 0
	}
	return conn
}

// offer begins to hand a pass to the gate of the wanted world.
func (w *selection) offer(s *session) {
	n := s.native
	h := w.keys.heldBy(s)
	if h == nil { // a bug of ours: a session that loses its key ends
		w.desk.end(s, endKeyReplaced)
		return
	}
	world := n.wanted
	n.wanted, n.pass, n.left = 0, worlds.PassID{}, false
	if !w.pool.random(n.pass[:]) {
		w.tellRefused(s, world, codec.SelectBusy)
		return
	}
	if n.picked { // the pass before this one belongs to an older login from now on
		h = w.again(s, h)
	}
	n.picked = true
	session := [32]byte(h.Key().Bytes())
	passKey := keyschedule.PassKey(&session, world, (*[16]byte)(&n.pass))
	key := worlds.NewSecret(passKey[:])
	err := w.keys.offer(h, n.pass, worlds.WorldNode(world), &key)
	key.Wipe()
	clear(passKey[:])
	clear(session[:])
	if err != nil {
		n.pass = worlds.PassID{}
		w.tellRefused(s, world, codec.SelectBusy)
		return
	}
	n.world = world
	w.offered[n.pass] = s.conn
	if s.state != StateHandingOff {
		w.desk.become(s, StateHandingOff)
	}
}

// again makes a login of a session's key that is newer than any of its passes. If one of
// them has let the client into a world and this server has not heard of it, the directory
// ends that.
func (w *selection) again(s *session, h *heldKey) *heldKey {
	key := *h.Key()
	random := binary.LittleEndian.Uint32(s.native.pass[:])
	w.desk.hold(login{s.name, s.conn, &key, random, worlds.AnnounceRenewed})
	key.Wipe()
	return w.keys.find(s.name)
}

// recall calls the offered pass back. The session goes on when the recall is settled.
func (w *selection) recall(s *session) {
	w.keys.recall(s.native.pass)
}

// release gives the picked world back.
func (w *selection) release(s *session) {
	s.native.wanted, s.native.releasing = 0, true
	if s.state == StateHandingOff {
		w.recall(s)
		return
	}
	w.released(s)
}

func (w *selection) released(s *session) {
	s.native.releasing = false
	w.desk.say(s, codec.Reply{Kind: codec.ReplyWorldReleased})
}

// renew takes the secret of a client whose key went to a world back into the keyring, as a
// new login.
func (w *selection) renew(s *session) {
	w.forgetPass(s)
	w.leftWorld(s)
	w.desk.hold(login{s.name, s.conn, s.native.secret, uint32(w.now), worlds.AnnounceRenewed})
	s.native.forgetSecret()
	s.native.picked = false // this is a new login already
}

// cameBack takes a client that has left its world, or the world's queue, back to the list
// of worlds: this server is the account's place in the directory again.
func (w *selection) cameBack(s *session) {
	if s.state != StateInWorld || s.native.secret == nil {
		s.native.left = true // that the gate took the pass is not known here yet
		return
	}
	w.renew(s)
	w.desk.become(s, StateChoosing)
}

// owner is the session that a pass is for, or nil.
func (w *selection) owner(pass worlds.PassID) *session {
	if s := w.desk.session(w.offered[pass]); s != nil && s.native.pass == pass {
		return s
	}
	return nil
}

// forgetPass removes the pass that a session had last.
func (w *selection) forgetPass(s *session) {
	delete(w.offered, s.native.pass)
	s.native.pass = worlds.PassID{}
}

// settled notes how handing a pass over came out, and returns the session that the pass is
// for, or nil. What it means for the session, its state decides.
func (w *selection) settled(o *worlds.Outcome[holding]) *session {
	s := w.owner(o.Pass)
	switch o.Kind {
	case worlds.OutcomeKept:
		delete(w.offered, o.Pass)
	case worlds.OutcomeAdmitted: // the pass is the account's key from now on
		h := w.keys.find(storage.Name(o.Account))
		if h == nil || h.Stamp != o.Stamp {
			break
		}
		if s != nil {
			w.enterWorld(s, h)
		}
		w.keys.moved(o.Account)
	}
	return s
}

// untaken removes a pass whose outcome no session takes.
func (w *selection) untaken(o *worlds.Outcome[holding]) {
	if o.Kind == worlds.OutcomeAdmitted {
		delete(w.offered, o.Pass)
	}
}

// goOn goes on with a session that is handing off, as handing the pass over came out.
func (w *selection) goOn(s *session, o *worlds.Outcome[holding]) {
	switch o.Kind {
	case worlds.OutcomeIssued:
		w.issued(s, o)
	case worlds.OutcomeKept:
		w.kept(s, o)
	case worlds.OutcomeAdmitted:
		w.admitted(s)
	}
}

// issued: the gate holds the pass, the client may go.
func (w *selection) issued(s *session, o *worlds.Outcome[holding]) {
	if s.native.wanted != 0 || s.native.releasing {
		return
	}
	found, ok := w.worlds.NativeFind(s.native.world, askOf(s))
	if !ok || found.Address == "" { // it was taken out of the list in the same moment
		w.recall(s)
		return
	}
	w.desk.say(s, codec.Reply{Kind: codec.ReplyPassIssued, Number: uint64(s.native.world), Native: &codec.NativeReply{
		Pass: o.Pass, Address: found.Address, Validity: uint32(w.options.PassValidity.Milliseconds()),
	}})
}

// kept: the pass came to nothing, and no world has it.
func (w *selection) kept(s *session, o *worlds.Outcome[holding]) {
	n := s.native
	n.pass = worlds.PassID{}
	switch {
	case n.wanted != 0:
		w.offer(s)
		if s.state == StateHandingOff && n.pass == (worlds.PassID{}) {
			w.desk.become(s, StateChoosing)
		}
		return
	case w.desk.endIfDraining(s):
		return
	}
	w.desk.become(s, StateChoosing)
	if n.releasing {
		w.released(s)
		return
	}
	w.tellRefused(s, n.world, selectReasons[o.Reason])
}

// selectReasons are what a client is told, by why its pass was not used.
var selectReasons = [worlds.ReasonCount]codec.SelectReason{
	worlds.ReasonNone: codec.SelectBusy, worlds.ReasonUnknown: codec.SelectTimeout, worlds.ReasonProof: codec.SelectBusy,
	worlds.ReasonBusy: codec.SelectBusy, worlds.ReasonForeign: codec.SelectMismatch, worlds.ReasonFull: codec.SelectFull,
	worlds.ReasonUsed: codec.SelectBusy, worlds.ReasonExpired: codec.SelectExpired, worlds.ReasonReplaced: codec.SelectBusy,
	worlds.ReasonTimeout: codec.SelectTimeout, worlds.ReasonRecalled: codec.SelectExpired,
}

// admitted: the gate has taken the pass.
func (w *selection) admitted(s *session) {
	w.desk.become(s, StateInWorld)
	switch n := s.native; {
	case w.desk.endIfDraining(s):
	case n.wanted != 0: // the client selected another world during the hand-off
		w.rules.raise(EventWorldSelected, s)
	case n.releasing:
		w.released(s)
	case n.left:
		w.cameBack(s)
	}
}

// progressed tells a client how far it is at the gate.
func (w *selection) progressed(s *session, from worlds.Node, p *worlds.Progress) {
	if from != worlds.WorldNode(s.native.world) {
		return
	}
	switch {
	case p.Ended == worlds.EndedLeft:
		w.cameBack(s)
		return
	case p.Ended != "": // the directory ended the client there, and so this connection
		w.desk.endSaying(s, directoryReason(p.Ended, p.Ended == whyCommand), p.Ended)
		return
	}
	if p.Position == 0 {
		w.desk.say(s, codec.Reply{Kind: codec.ReplyEntered, Number: uint64(s.native.world)})
	} else {
		w.desk.say(s, codec.Reply{Kind: codec.ReplyQueuePosition, Number: uint64(p.Position)})
	}
}
