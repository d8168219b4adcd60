package logic

import (
	"encoding/binary"
	"time"

	"gatepass/auth"
	"gatepass/auth/srp6a"
	"gatepass/codec"
	"gatepass/storage"
	"gatepass/worlds"
)

// nativeDialect is gatepass's own protocol. Its clients go through the states of all clients,
// and these:
//
//	Verifying ─right─▶ Confirming ─code─▶ (Recording) ─▶ Choosing ◀───────────┐
//	Proving ─right token─▶ Rotating ─stored─▶ Choosing   │ select             │ kept, released
//	                                                     ▼                    │ left
//	                              InWorld ◀─admitted── HandingOff ────────────┘
//	                                 └───── select ───────▲
type nativeDialect struct{}

// nativeSession is what is known of a native client beside what every session has.
type nativeSession struct {
	// signIn is the client's first message, until it is in.
	signIn *codec.NativeMessage
	// remembering is the device that is being stored.
	remembering *storage.Device
	// secret is what pass keys are derived from while the account's key is not here,
	// because it went to a world with the client. stamp is that login's.
	secret *worlds.Secret
	stamp  worlds.Stamp
	// list is the version of the list of worlds that the client has.
	list uint64
	// pass is the last one offered, to world.
	pass worlds.PassID
	// device is the client's, zero for none.
	device [16]byte
	// proven is the account's credentials that the client proved by password.
	proven storage.Credentials
	world  uint8
	// wanted is the world to offer a pass to when the one before is settled, 0 for none.
	// releasing says that the client gave the one before back.
	wanted    uint8
	releasing bool
	// picked: this login has offered a pass before. left: the client left the world
	// before the gate's word came that it had taken the pass.
	picked, left bool
	// sealed: the client was told that its proof was right.
	sealed bool
	// counted: it is one of Core.natives.
	counted bool
	// remembered: this connection asked for a token. forgotten: the token that is being
	// stored is to be removed at once.
	remembered, forgotten bool
}

// welcomed are the states of a native client that is in.
var welcomed = in(StateChoosing, StateHandingOff, StateInWorld)

// welcomed tells whether a session is a native client's that was let in.
func (s *session) welcomed() bool { return s.protocol == codec.ProtocolNative && welcomed.has(s.state) }

// limitOf is how long a session may stay in its state. A native client that is in pings.
func (c *Core) limitOf(s *session) int64 {
	if s.welcomed() {
		return pingsMissed * c.options.PingEvery.Milliseconds()
	}
	return states[s.state].Limit(&c.options).Milliseconds()
}

// hello notes the method. A client that signs in by token gets no other token, else
// whoever has a copy could stay in for ever, unseen.
func (nativeDialect) hello(s *session, m *codec.Message) {
	s.native.signIn = m.Native
	s.method, s.takesUpdates = byNativePassword, m.Native.TakesUpdates
	if m.Native.ByToken {
		s.method = byToken
	}
}

func (nativeDialect) lookup(s *session) storage.Op {
	op := gruntDialect{}.lookup(s)
	if s.method == byToken {
		op.Kind, op.Device = storage.OpDevice, &storage.Device{Family: s.native.signIn.Family}
	}
	return op
}

// found answers the same whether there is such an account, or such a token, or not: what
// is missing is made up.
func (nativeDialect) found(c *Core, s *session, r *storage.Result) {
	a := s.attempt
	a.native = new(nativeAttempt)
	if a.known = r.Account != nil; a.known {
		a.ban = r.Account.Ban
	}
	if s.method == byToken {
		c.challengeToken(s, r.Device)
		return
	}
	made := auth.FakeNative(c.decoys.Secret, s.name.Bytes(), c.options.NativeDecoys)
	if v, ok := nativeVerifier(r.Account); ok {
		made = v
		a.native.proven = r.Account.Credentials()
		a.factor = newSecondFactor(r.Account)
	} else {
		a.known = false
	}
	c.jobs = append(c.jobs, auth.Job{Kind: auth.JobNativeChallenge, Tag: uint64(s.conn), Native: &auth.NativeExchange{
		Server:      srp6a.Server{Name: s.name.String(), Verifier: made},
		ClientNonce: s.native.signIn.Nonce,
	}})
}

func (nativeDialect) verify(c *Core, s *session) {
	n := s.attempt.native
	c.jobs = append(c.jobs, auth.Job{Kind: auth.JobNativeProve, Tag: uint64(s.conn), Native: n.exchange})
	n.exchange = nil // it belongs to the pool now
}

// proven begins to seal what is sent to the client, which has proven its password.
func (nativeDialect) proven(c *Core, s *session, r *auth.Result) {
	n := s.attempt.native
	n.keys, n.proof = r.Native.Keys, r.Native.M2
	if c.seal(s); s.state == StateLeaving {
		return // there was no room for the reply
	}
	if s.attempt.factor != nil {
		c.become(s, StateConfirming)
		return
	}
	c.raise(Event{Kind: EventLoginRequested, conn: s.conn})
}

func (nativeDialect) admit(c *Core, s *session) {
	n, signIn := s.attempt.native, s.native.signIn
	if !s.native.sealed {
		c.seal(s)
	}
	if s.state == StateLeaving {
		return // there was no room for the reply
	}
	secret := worlds.NewSecret(n.keys.Session[:])
	c.hold(s, &secret, binary.LittleEndian.Uint32(n.proof[:]))
	secret.Wipe()
	kind := SignalLoggedIn
	if s.method == byToken {
		kind = SignalTokenLoggedIn
	}
	s.native.device, s.native.proven, s.native.signIn = signIn.Device, n.proven, nil
	c.become(s, StateChoosing)
	c.signal(Signal{Kind: kind, session: s})
	c.welcome(s)
	if c.draining && s.state == StateChoosing { // the drain began during the sign-in
		c.end(s, endDrained)
	}
}

func (nativeDialect) serve(c *Core, s *session, m *codec.Message) {
	c.setDeadlineAt(s, c.now+c.limitOf(s))
	switch m.Kind {
	case codec.KindPing:
		c.reply = codec.Reply{Kind: codec.ReplyPong, Number: m.Number}
		c.send(s)
	case codec.KindSelectWorld:
		s.native.wanted, s.native.releasing = uint8(min(m.Number, worlds.MaxWorlds+1)), false
		c.raise(Event{Kind: EventWorldSelected, conn: s.conn})
		c.runEvents()
		c.settle() // the pass before this one may have been refused just now
	case codec.KindReleaseWorld:
		c.releaseWorld(s)
		c.settle()
	case codec.KindRememberDevice:
		c.rememberDevice(s, m.Native)
	case codec.KindForgetDevice:
		c.forgetDevice(s)
	}
}

func (nativeDialect) offerUpdate(c *Core, s *session) {
	if !s.native.sealed {
		c.seal(s)
	}
	s.native.signIn = nil
	c.offer(s, &codec.NativeReply{Update: s.version.Offer})
}

func (nativeDialect) fileSent(c *Core, s *session) { c.end(s, endUpdated) }

func (nativeDialect) tellPlace(c *Core, s *session, place uint64) {
	if s.version.place == place {
		return
	}
	s.version.place = place
	c.reply = codec.Reply{Kind: codec.ReplyTransferQueued, Number: place}
	c.send(s)
}

// pushWorlds has the client told what it does not know yet.
func (nativeDialect) pushWorlds(c *Core, s *session, g *pushGroups) {
	if !s.welcomed() {
		return
	}
	version := c.ports.Worlds.Version()
	frame, err := []byte(nil), error(nil)
	switch s.native.list {
	case version:
		return
	case version - 1:
		frame, err = c.ports.Worlds.NativeDelta(c.askOf(s))
	default:
		frame, err = c.ports.Worlds.NativeSnapshot(c.askOf(s))
	}
	if err != nil {
		c.options.Logger.Error("list of worlds could not be made", "build", s.build, "error", err)
		return
	}
	s.native.list = version
	g.add(s.conn, frame)
}

// missedWorlds has the whole list sent the next time.
func (nativeDialect) missedWorlds(s *session) { s.native.list = 0 }

func (nativeDialect) lastReply(c *Core, s *session, e *ending) bool {
	switch e.word {
	case lastRefusal:
		c.reply = c.nativeRefusal(s, e.results[codec.ProtocolNative])
	case lastKick:
		c.reply = codec.Reply{Kind: codec.ReplyKicked, Result: e.results[codec.ProtocolNative]}
		return s.welcomed() || s.state == StateUpdating
	case lastGoingAway:
		if s.state == StateConnected {
			return false
		}
		c.reply = codec.Reply{Kind: codec.ReplyGoingAway, Number: c.drainReturn()}
	case lastUpdate:
		c.reply = codec.Reply{Kind: codec.ReplyTransferDone}
		if s.version.ended != codec.TransferDone {
			c.reply = codec.Reply{Kind: codec.ReplyTransferFailed, Ended: s.version.ended}
		}
	default:
		return false
	}
	return true
}

// nativeRefusal is a refusal: another message for a client that is in than for one that
// is not, and with the time to come back if it is worth trying again.
func (c *Core) nativeRefusal(s *session, result codec.Result) codec.Reply {
	r := codec.Reply{Kind: codec.ReplyRefused, Result: result}
	if s.welcomed() {
		r.Kind = codec.ReplyKicked
	} else if result == codec.ResultBusy {
		r.Number = c.returnAfter(s)
		if c.maintenance {
			r.Number += uint64(maintenanceReturn.Milliseconds())
		}
	}
	return r
}

// closed keeps the key of a client that may be on its way to a gate with its pass, while
// that is good. Other native clients come back by a new sign-in.
func (nativeDialect) closed(c *Core, s *session) (grace time.Duration) {
	n := s.native
	if n.pass != (worlds.PassID{}) {
		grace = min(c.options.ReconnectGrace, c.options.PassValidity)
	}
	c.forgetPick(s)
	c.leftWorld(s)
	n.forgetSecret()
	if n.counted {
		c.natives--
	}
	return grace
}

// returnAfter is after how many milliseconds a refused client is told to come back:
// later for each client of its own network that comes back already, and spread a little
// by the number of its connection, so that clients of different networks do not come at
// once. Clients of other networks do not make it later.
func (c *Core) returnAfter(s *session) uint64 {
	spread := int64(s.conn.Slot()) % returnsSpread * returnSpread.Milliseconds() / returnsSpread
	return uint64(returnBase.Milliseconds() + spread + c.returns.Delay(s.peer, c.now, returnEach.Milliseconds(), returnMost.Milliseconds()))
}

// drainReturn is after how many milliseconds the next client is told to come back that
// this server sends away because it stops. These clients have proven who they are; each
// is told a later time than the one before, up to returnMost, and then it begins anew.
func (c *Core) drainReturn() uint64 {
	c.sentOff++
	after := c.sentOff * 1000 / returnsPerSecond % uint64(returnMost.Milliseconds())
	return uint64(returnBase.Milliseconds()) + after
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

// forgetSecret wipes what passes are derived from.
func (n *nativeSession) forgetSecret() {
	if n.secret != nil {
		n.secret.Wipe()
		n.secret = nil
	}
}
