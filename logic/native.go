package logic

import (
	"gatepass/codec"
	"gatepass/storage"
	"gatepass/worlds"
)

// nativeSession is what is known of a client of the native protocol beside what
// every session has. Its states are those of all clients, and these:
//
//	Verifying ─right─▶ Confirming ─code─▶ (Recording) ─▶ Choosing ◀───────────┐
//	Proving ─right token─▶ Rotating ─stored─▶ Choosing   │ select             │ kept, released
//	                                                     ▼                    │ left
//	                              Boarded ◀─admitted── HandingOff ────────────┘
//	                                 └───── select ───────▲
type nativeSession struct {
	// signIn is how the client introduced itself, until it is in.
	signIn *codec.NativeMessage
	// remembering is the device that is being stored.
	remembering *storage.Device
	// secret is what pass keys are drawn from, while the account's key is not here: it
	// has gone to a world with the client. stamp is that login's.
	secret *worlds.Secret
	stamp  worlds.Stamp
	// list is the version of the list of worlds that the client has.
	list uint64
	// pass is the one that was offered last, to world.
	pass worlds.PassID
	// device is the client's, zero for none.
	device [16]byte
	// proven is what the client proved at its sign-in by password.
	proven storage.Credentials
	world  uint8
	// wanted is the world to be offered a pass next, once the one before is settled;
	// 0 for none, and then releasing says that the client has given it back.
	wanted    uint8
	releasing bool
	// picked: this login has offered a pass before. left: its client has left the world
	// that took the pass, before the gate's word of taking it came.
	picked, left bool
	// sealed: the proof was right, and the client was told.
	sealed bool
	// counted: it is one of Core.natives.
	counted bool
	// byToken: the client signed in by its device's token. It gets no other one:
	// whoever has a copy could else hold on for ever, unseen.
	byToken bool
	// remembered: this connection has asked for a token. forgotten: the one that is
	// being stored is to be ended at once.
	remembered, forgotten bool
}

// welcomed are the states of a native client that is in.
var welcomed = in(StateChoosing, StateHandingOff, StateBoarded)

// welcomed tells whether a session is a native client's that was let in.
func (s *session) welcomed() bool { return s.native != nil && welcomed.has(s.state) }

// limitOf is how long a session may stay in its state: a native client that is in
// shows itself again and again.
func (c *Core) limitOf(s *session) int64 {
	if s.welcomed() {
		return pingsMissed * c.options.PingEvery.Milliseconds()
	}
	return states[s.state].Limit(&c.options).Milliseconds()
}

// refuseNative says no to a native client, in the words for one that is in or not.
func (c *Core) refuseNative(s *session, result codec.Result) {
	c.reply = codec.Reply{Kind: codec.ReplyRefused, Result: result}
	if s.welcomed() {
		c.reply.Kind = codec.ReplyKicked
	} else if result == codec.ResultBusy {
		c.reply.Number = c.returnAfter(s)
		if c.maintenance {
			c.reply.Number += uint64(maintenanceReturn.Milliseconds())
		}
	}
	c.become(s, StateLeaving)
	c.sendLast(s)
}

// sendLast sends c.reply and closes the session, which is leaving, behind it.
func (c *Core) sendLast(s *session) {
	if !c.ports.Out.SendLast(s.conn, &c.reply) {
		c.close(s.conn, codec.CloseLogic)
	}
}

// farewell closes a session, and tells a native client that is in why.
func (c *Core) farewell(s *session, result codec.Result) {
	if s.state == StateLeaving || !s.welcomed() && (s.native == nil || s.state != StateUpdating) {
		c.hangUp(s, codec.CloseLogic)
		return
	}
	c.become(s, StateLeaving)
	c.reply = codec.Reply{Kind: codec.ReplyKicked, Result: result}
	c.sendLast(s)
}

// returnAfter is after how many milliseconds a refused client is told to come back:
// later for each that its own network has coming back already, and spread a little, by
// the place of its connection, so that those of different networks do not come all at
// once. Nobody of another network makes it later.
func (c *Core) returnAfter(s *session) uint64 {
	spread := int64(s.conn.Slot()) % returnsSpread * returnSpread.Milliseconds() / returnsSpread
	return uint64(returnBase.Milliseconds() + spread + c.returns.delay(s.peer, c.now))
}

// goAway tells a native client when to come back, and closes behind it. These are
// clients that have proven who they are; each is told a later time than the one before,
// up to returnMost, and then it begins anew.
func (c *Core) goAway(s *session) {
	c.become(s, StateLeaving)
	c.sentOff++
	after := c.sentOff * 1000 / returnsPerSecond % uint64(returnMost.Milliseconds())
	c.reply = codec.Reply{Kind: codec.ReplyGoingAway, Number: uint64(returnBase.Milliseconds()) + after}
	c.sendLast(s)
}

// inPlay takes what a native client says that is in, whatever it waits for.
func (c *Core) inPlay(s *session, m *codec.Message) {
	c.setDeadlineAt(s, c.now+c.limitOf(s))
	switch m.Kind {
	case codec.KindPing:
		c.reply = codec.Reply{Kind: codec.ReplyPong, Number: m.Number}
		c.send(s)
	case codec.KindSelectWorld:
		s.native.wanted, s.native.releasing = uint8(min(m.Number, worlds.MaxWorlds+1)), false
		c.raise(Event{Kind: EventWorldSelected, conn: s.conn})
		c.runEvents()
		c.settle() // a pick before this one may have come to nothing just now
	case codec.KindReleaseWorld:
		c.releaseWorld(s)
		c.settle()
	case codec.KindRememberDevice:
		c.rememberDevice(s, m.Native)
	case codec.KindForgetDevice:
		c.forgetDevice(s)
	}
}

// notify tells every native client that is in.
func (c *Core) notify(text string) {
	notice := &codec.NativeReply{Text: text}
	c.sessions.each(func(s *session) {
		if s.welcomed() {
			c.reply = codec.Reply{Kind: codec.ReplyNotice, Native: notice}
			c.send(s)
		}
	})
}

// ordered does what an operator wants of every login server.
func (c *Core) ordered(o *worlds.Order) {
	switch {
	case o.Maintenance != nil:
		c.maintenance = *o.Maintenance
		c.options.Logger.Info("maintenance", "on", c.maintenance)
	case o.Notice != "":
		c.notify(o.Notice)
	}
}

// endNative lets go of what a session that is gone had beyond others.
func (c *Core) endNative(s *session) {
	if s.native == nil {
		return
	}
	c.forgetPick(s)
	c.ashore(s)
	s.native.forgetSecret()
	if s.native.counted {
		c.natives--
	}
}

// forgetSecret wipes what passes are drawn from.
func (n *nativeSession) forgetSecret() {
	if n.secret != nil {
		n.secret.Wipe()
		n.secret = nil
	}
}
