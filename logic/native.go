package logic

import (
	"encoding/binary"
	"time"

	"gatepass/auth"
	"gatepass/auth/srp6a"
	"gatepass/codec"
	"gatepass/guard"
	"gatepass/logic/factor"
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
	worldPick
	// signIn is the client's first message, until it is in.
	signIn *codec.NativeMessage
	// remembering is the device that is being stored.
	remembering *storage.Device
	// list is the version of the list of worlds that the client has.
	list uint64
	// device is the client's, zero for none.
	device [16]byte
	// proven is the account's credentials that the client proved by password.
	proven storage.Credentials
	// sealed: the client was told that its proof was right.
	sealed bool
	// counted: it is one of push.natives.
	counted bool
	// remembered: this connection asked for a token. forgotten: the token that is being
	// stored is to be removed at once.
	remembered, forgotten bool
}

// welcomed are the states of a native client that is in.
var welcomed = in(StateChoosing, StateHandingOff, StateInWorld)

// welcomed tells whether a session is a native client's that was let in.
func (s *session) welcomed() bool { return s.protocol == codec.ProtocolNative && welcomed.has(s.state) }

// limitOf is how many milliseconds a session may stay in its state. A native client that
// is in pings.
func limitOf(s *session, o *Options) int64 {
	if s.welcomed() {
		return pingsMissed * o.PingEvery.Milliseconds()
	}
	return states[s.state].Limit(o).Milliseconds()
}

// hello notes the method. A client that signs in by token gets no other token, else
// whoever has a copy could stay in for ever, unseen.
func (nativeDialect) hello(s *session, m *codec.Message) {
	s.native.signIn = m.Native
	s.method, s.takesUpdates = ByNativePassword, m.Native.TakesUpdates
	if m.Native.ByToken {
		s.method = ByToken
	}
}

func (nativeDialect) lookup(s *session) storage.Op {
	op := gruntDialect{}.lookup(s)
	if s.method == ByToken {
		op.Kind, op.Device = storage.OpDevice, &storage.Device{Family: s.native.signIn.Family}
	}
	return op
}

// found answers the same whether there is such an account, or such a token, or not: what
// is missing is made up.
func (d nativeDialect) found(c *Core, s *session, r *storage.Result) {
	a := s.attempt
	a.native = new(nativeAttempt)
	if a.known = r.Account != nil; a.known {
		a.ban = r.Account.Ban
	}
	if s.method == ByToken {
		d.challengeToken(c, s, r.Device)
		return
	}
	made := c.decoys.native(s.name)
	if v, ok := nativeVerifier(r.Account); ok {
		made = v
		a.native.proven = r.Account.Credentials()
		a.factor = factor.New(r.Account)
	} else {
		a.known = false
	}
	c.effects.prove(auth.Job{Kind: auth.JobNativeChallenge, Tag: uint64(s.conn), Native: &auth.NativeExchange{
		Server:      srp6a.Server{Name: s.name.String(), Verifier: made},
		ClientNonce: s.native.signIn.Nonce,
	}})
}

func (nativeDialect) verify(c *Core, s *session) {
	n := s.attempt.native
	c.effects.prove(auth.Job{Kind: auth.JobNativeProve, Tag: uint64(s.conn), Native: n.exchange})
	n.exchange = nil // it belongs to the pool now
}

// proven begins to seal what is sent to the client, which has proven its password.
func (d nativeDialect) proven(c *Core, s *session, r *auth.Result) {
	n := s.attempt.native
	n.keys, n.proof = r.Native.Keys, r.Native.M2
	if d.seal(c, s); s.state == StateLeaving {
		return // there was no room for the reply
	}
	if s.attempt.factor != nil {
		c.become(s, StateConfirming)
		return
	}
	c.rules.raise(EventLoginRequested, s)
}

func (d nativeDialect) admit(c *Core, s *session) {
	n, signIn := s.attempt.native, s.native.signIn
	if !s.native.sealed {
		d.seal(c, s)
	}
	if s.state == StateLeaving {
		return // there was no room for the reply
	}
	secret := worlds.NewSecret(n.keys.Session[:])
	c.hold(login{s.name, s.conn, &secret, binary.LittleEndian.Uint32(n.proof[:]), worlds.AnnounceFresh})
	secret.Wipe()
	kind := SignalLoggedIn
	if s.method == ByToken {
		kind = SignalTokenLoggedIn
	}
	s.native.device, s.native.proven, s.native.signIn = signIn.Device, n.proven, nil
	c.become(s, StateChoosing)
	c.signals.raise(Signal{Kind: kind, session: s})
	d.welcome(c, s)
	c.endIfDraining(s) // the drain may have begun during the sign-in
}

func (d nativeDialect) serve(c *Core, s *session, m *codec.Message) {
	c.timers.setAt(s, c.now+limitOf(s, &c.options))
	switch m.Kind {
	case codec.KindPing:
		c.say(s, codec.Reply{Kind: codec.ReplyPong, Number: m.Number})
	case codec.KindSelectWorld:
		c.selection.want(s, m.Number)
		c.rules.run()
		c.region.settle() // the pass before this one may have been refused just now
	case codec.KindReleaseWorld:
		c.selection.release(s)
		c.region.settle()
	case codec.KindRememberDevice:
		d.remember(c, s, m.Native)
	case codec.KindForgetDevice:
		d.forgetDevice(c, s)
	}
}

func (d nativeDialect) offerUpdate(c *Core, s *session) {
	if !s.native.sealed {
		d.seal(c, s)
	}
	s.native.signIn = nil
	if s.state == StateLeaving {
		return // there was no room for the reply
	}
	offer := updateOffer(s)
	offer.Native = &codec.NativeReply{Update: s.version.Offer}
	c.say(s, offer)
}

func (nativeDialect) fileSent(c *Core, s *session) { c.end(s, endUpdated) }

func (nativeDialect) placeReply(place uint64) (codec.Reply, bool) {
	return codec.Reply{Kind: codec.ReplyTransferQueued, Number: place}, true
}

func (nativeDialect) pushWorlds(p *push, s *session, g *pushGroups) { p.pushNative(s, g) }

// missedWorlds has the whole list sent the next time.
func (nativeDialect) missedWorlds(s *session) { s.native.list = 0 }

func (d nativeDialect) lastReply(c *Core, s *session, e *ending) bool {
	switch e.word {
	case lastRefusal:
		c.reply = d.refusal(c, s, e.results[codec.ProtocolNative])
	case lastKick:
		c.reply = codec.Reply{Kind: codec.ReplyKicked, Result: e.results[codec.ProtocolNative]}
		return s.welcomed() || s.state == StateUpdating
	case lastGoingAway:
		if s.state == StateConnected {
			return false
		}
		c.reply = codec.Reply{Kind: codec.ReplyGoingAway, Number: c.returns.drained()}
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

// refusal is a refusal: another message for a client that is in than for one that
// is not, and with the time to come back if it is worth trying again.
func (d nativeDialect) refusal(c *Core, s *session, result codec.Result) codec.Reply {
	r := codec.Reply{Kind: codec.ReplyRefused, Result: result}
	if s.welcomed() {
		r.Kind = codec.ReplyKicked
	} else if result == codec.ResultBusy {
		r.Number = c.returns.refused(s)
		if c.service.maintenance {
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
	c.selection.forgetPass(s)
	c.selection.leftWorld(s)
	n.forgetSecret()
	c.push.leave(s)
	return grace
}

// forgetSecret wipes what passes are derived from.
func (n *nativeSession) forgetSecret() {
	if n.secret != nil {
		n.secret.Wipe()
		n.secret = nil
	}
}

// returns says when clients are to come back that this server sends away.
type returns struct {
	base
	// networks has the refused clients of each network.
	networks guard.Rates
	// sent is how many clients were sent away because this server stops.
	sent uint64
}

// refused is after how many milliseconds a refused client is told to come back: later for
// each client of its own network that comes back already, and spread a little by the
// number of its connection, so that clients of different networks do not come at once.
// Clients of other networks do not make it later.
func (r *returns) refused(s *session) uint64 {
	spread := int64(s.conn.Slot()) % returnsSpread * returnSpread.Milliseconds() / returnsSpread
	return uint64(returnBase.Milliseconds() + spread + r.networks.Delay(s.peer, r.now, returnEach.Milliseconds(), returnMost.Milliseconds()))
}

// drained is after how many milliseconds the next client is told to come back that is sent
// away because this server stops. These clients have proven who they are; each is told a
// later time than the one before, up to returnMost, and then it begins anew.
func (r *returns) drained() uint64 {
	r.sent++
	after := r.sent * 1000 / returnsPerSecond % uint64(returnMost.Milliseconds())
	return uint64(returnBase.Milliseconds()) + after
}
