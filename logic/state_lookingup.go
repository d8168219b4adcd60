package logic

import (
	"errors"
	"time"

	"gatepass/auth"
	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/patches"
	"gatepass/storage"
	"gatepass/worlds"
)

// lookingUp waits for the account from the store, and for an ephemeral key if
// there is none in stock.
type lookingUp struct{}

func (lookingUp) Enter(c *Core, s *session) {
	c.ops = append(c.ops, lookupOp(s))
}

func (lookingUp) Leave(*Core, *session) {}

func (lookingUp) Limit(o *Options) time.Duration { return o.WorkLimit }

// Process is never called: no message is valid here.
func (lookingUp) Process(*Core, *session, *codec.Message) {}

// lookedUp takes the store's answer. An account that does not exist gets a salt
// and a verifier that are always the same and to which nobody has the password,
// and maybe is asked for a second factor; from here on it takes the same way, and
// fails at the proof.
func (c *Core) lookedUp(s *session, r *storage.Result) {
	if r.Err != nil && !errors.Is(r.Err, storage.ErrNotFound) {
		c.count.storeErrors.Add(1)
		c.options.Logger.Error("account could not be read", "account", s.name, "error", r.Err)
		c.refuse(s, s.challengeKind(), codec.ResultBusy)
		return
	}
	if !c.decoys.settled && !s.returning && !s.byToken() {
		// For known names as for unknown ones: what it said of the latter now would differ
		// from what it says when it has met its region.
		c.refuse(s, s.challengeKind(), codec.ResultBusy)
		return
	}
	a := c.sessions.beginAttempt(s)
	if r.Account != nil {
		s.characters = charactersOf(r.Account)
	}
	if s.native != nil {
		c.lookedUpNative(s, r)
		return
	}
	if s.returning {
		a.known = r.Account != nil
		if a.known {
			a.ban = r.Account.Ban
		}
		c.become(s, StateReproving)
		return
	}
	a.exchange.Name = s.name
	a.exchange.Salt, a.exchange.Verifier = auth.FakeCredentials(&c.decoys.Decoys, s.name.Bytes())
	if r.Account != nil && r.Account.Grunt.Set {
		a.known, a.ban = true, r.Account.Ban
		a.exchange.Salt = srp6.Salt(r.Account.Grunt.Salt)
		a.exchange.Verifier = srp6.Verifier(r.Account.Grunt.Verifier)
		a.factor = newSecondFactor(r.Account)
	} else if c.decoyed(&a.exchange.Verifier) {
		a.factor = newDecoy()
	}
	if !c.stock.take(&a.ephemeral) {
		c.stock.waiting = append(c.stock.waiting, s.conn)
		return
	}
	c.challenge(s)
}

// challengeKind is the reply that the client awaits first.
func (s *session) challengeKind() codec.ReplyKind {
	if s.returning {
		return codec.ReplyReconnectChallenge
	}
	return codec.ReplyLogonChallenge
}

// charactersOf is an account's counts as the list of worlds takes them.
func charactersOf(a *storage.Account) []worlds.WorldCharacters {
	if len(a.Characters) == 0 {
		return nil
	}
	counts := make([]worlds.WorldCharacters, len(a.Characters))
	for i, n := range a.Characters {
		counts[i] = worlds.WorldCharacters(n)
	}
	return counts
}

// challenge sends the server's half of the exchange.
func (c *Core) challenge(s *session) {
	a := s.attempt
	a.exchange.B = a.ephemeral.PublicKey(&a.exchange.Verifier)
	c.reply = codec.Reply{Kind: codec.ReplyLogonChallenge, Challenge: codec.Challenge{
		B:       a.exchange.B,
		Salt:    a.exchange.Salt,
		CRCSalt: patches.IntegritySalt,
	}}
	if !c.askFactor(s, &c.reply.Challenge) {
		c.refuse(s, codec.ReplyLogonChallenge, codec.ResultBusy)
		return
	}
	c.become(s, StateProving)
	c.send(s)
}
