package logic

import (
	"encoding/binary"
	"time"

	"gatepass/auth"
	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/logic/factor"
	"gatepass/patches"
	"gatepass/storage"
	"gatepass/worlds"
)

// gruntDialect is the protocol of existing clients.
type gruntDialect struct{}

func (gruntDialect) hello(s *session, m *codec.Message) {
	s.method, s.takesUpdates = ByPassword, true
	if m.Kind == codec.KindReconnectChallenge {
		s.method, s.takesUpdates = ByEarlierKey, false
	}
}

func (gruntDialect) lookup(s *session) storage.Op {
	return storage.Op{Kind: storage.OpGet, Tag: uint64(s.conn), Name: s.name, Brief: true}
}

// found answers for an account that does not exist with a salt and a verifier that are
// always the same and to which nobody has the password, and may ask for a second
// factor. From here on such a sign-in takes the same way, and fails at the proof.
func (d gruntDialect) found(c *Core, s *session, r *storage.Result) {
	a := s.attempt
	if s.method == ByEarlierKey {
		if a.known = r.Account != nil; a.known {
			a.ban = r.Account.Ban
		}
		c.become(s, StateReproving)
		return
	}
	a.exchange.Name = s.name
	salt, verifier, asks := c.decoys.credentials(s.name)
	a.exchange.Salt, a.exchange.Verifier = salt, verifier
	if r.Account != nil && r.Account.Grunt.Set {
		a.known, a.ban = true, r.Account.Ban
		a.exchange.Salt = srp6.Salt(r.Account.Grunt.Salt)
		a.exchange.Verifier = srp6.Verifier(r.Account.Grunt.Verifier)
		a.factor = factor.New(r.Account)
	} else if asks {
		a.factor = factor.Decoy()
	}
	if !c.pool.take(&a.ephemeral) {
		c.pool.await(s.conn)
		return
	}
	d.challenge(c, s)
}

// challenge sends the server's half of the exchange.
func (d gruntDialect) challenge(c *Core, s *session) {
	a := s.attempt
	a.exchange.B = a.ephemeral.PublicKey(&a.exchange.Verifier)
	c.reply = codec.Reply{Kind: codec.ReplyLogonChallenge, Challenge: codec.Challenge{
		B:       a.exchange.B,
		Salt:    a.exchange.Salt,
		CRCSalt: patches.IntegritySalt,
	}}
	if !d.askFactor(c, s, &c.reply.Challenge) {
		c.end(s, endBusy)
		return
	}
	c.become(s, StateProving)
	c.send(s)
}

// askFactor puts what a client must give beside its password into its challenge. False
// means that there are no random bytes for it.
func (gruntDialect) askFactor(c *Core, s *session, ch *codec.Challenge) bool {
	f := s.attempt.factor
	if f == nil {
		return true
	}
	if ch.Factors = f.Ask(c.options.Factors(s.build)); ch.Factors&codec.FactorPIN == 0 {
		return true
	}
	var random [auth.RandomSize]byte
	if !c.pool.random(random[:]) {
		return false
	}
	f.Shuffle(&random, ch)
	return true
}

func (gruntDialect) verify(c *Core, s *session) {
	c.effects.prove(auth.Job{
		Kind:      auth.JobProve,
		Tag:       uint64(s.conn),
		Ephemeral: s.attempt.ephemeral,
		Exchange:  s.attempt.exchange,
	})
	s.attempt.ephemeral.Wipe()
}

func (gruntDialect) proven(c *Core, s *session, r *auth.Result) {
	s.attempt.key, s.attempt.m2 = r.Key, r.M2
	c.rules.raise(EventLoginRequested, s)
}

// accountFlags is what every client is told of its account: the "pro pass" bit
// that the servers of the family always send (protocol page, 7.2).
const accountFlags = 0x00800000

// admit puts the key into the keyring before the reply is sent, because it may be asked
// for at once.
func (gruntDialect) admit(c *Core, s *session) {
	a := s.attempt
	secret := worlds.NewSecret(a.key[:])
	c.hold(login{s.name, s.conn, &secret, binary.LittleEndian.Uint32(a.exchange.B[:]), worlds.AnnounceFresh})
	secret.Wipe()
	c.reply = codec.Reply{Kind: codec.ReplyLogonProof, M2: s.attempt.m2, AccountFlags: accountFlags}
	c.become(s, StateChoosing)
	c.signals.raise(Signal{Kind: SignalLoggedIn, session: s})
	c.send(s)
}

// serve sends the list of worlds.
func (gruntDialect) serve(c *Core, s *session, _ *codec.Message) {
	frame, err := c.ports.Worlds.FrameFor(askOf(s))
	if err != nil {
		c.options.Logger.Error("list of worlds could not be made", "build", s.build, "error", err)
		c.end(s, endFault)
		return
	}
	c.timers.set(s, c.options.ChoosingLimit)
	c.sendFrame(s, frame)
}

func (gruntDialect) offerUpdate(c *Core, s *session) {
	c.say(s, codec.Reply{Kind: codec.ReplyLogonProof, Result: codec.ResultVersionUpdate})
	if s.state != StateLeaving { // there was room for the reply
		c.say(s, updateOffer(s))
	}
}

// fileSent waits until the client closes the connection by itself: what is still on the
// way has to get there.
func (gruntDialect) fileSent(c *Core, s *session) {
	c.updates.leave(s)
	c.timers.set(s, sentLimit)
}

func (gruntDialect) placeReply(uint64) (r codec.Reply, ok bool) { return r, false }

func (gruntDialect) pushWorlds(p *push, s *session, g *pushGroups) { p.pushGrunt(s, g) }

func (gruntDialect) missedWorlds(*session) {}

// lastReply knows refusals only, and those of a request that has a reply.
func (gruntDialect) lastReply(c *Core, s *session, e *ending) bool {
	if e.word != lastRefusal {
		return false
	}
	c.reply = codec.Reply{Kind: refusals[s.request], Result: e.results[codec.ProtocolGrunt]}
	return c.reply.Kind != codec.ReplyNone
}

// refusals says with which reply a message is refused, where there is one.
var refusals = [codec.KindCount]codec.ReplyKind{
	codec.KindLogonChallenge:     codec.ReplyLogonChallenge,
	codec.KindReconnectChallenge: codec.ReplyReconnectChallenge,
	codec.KindLogonProof:         codec.ReplyLogonProof,
	codec.KindReconnectProof:     codec.ReplyReconnectProof,
}

func (gruntDialect) closed(c *Core, _ *session) time.Duration { return c.options.ReconnectGrace }
