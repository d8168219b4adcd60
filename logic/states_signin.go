package logic

import (
	"errors"
	"time"

	"gatepass/auth"
	"gatepass/auth/srp6"
	"gatepass/auth/srp6a"
	"gatepass/codec"
	"gatepass/storage"
	"gatepass/worlds"
)

// The states of a sign-in, from the client's first message to the verdict on its proof.

// connected waits for the client's first message: the account, and how the client proves
// that it is its owner.
type connected struct{}

func (connected) Enter(*Core, *session) {}
func (connected) Leave(*Core, *session) {}

func (connected) Limit(o *Options) time.Duration { return o.ConnectedLimit }

func (connected) Process(c *Core, s *session, m *codec.Message) {
	s.build = m.Hello.Build
	s.dialect().hello(s, m)
	name, err := storage.FoldName(m.Hello.Name.Bytes())
	if err != nil {
		// No account can have such a name, so the refusal tells a stranger nothing.
		c.end(s, endWrongCredentials)
		return
	}
	s.name = name
	c.judge(s, &m.Hello)
	c.raise(Event{Kind: EventHello, conn: s.conn})
}

// greeted goes on when no filter objected to the client's first message.
func (c *Core) greeted(s *session) {
	c.become(s, StateLookingUp)
}

// lookingUp waits for the account from the store, and for what the auth pool makes for
// the challenge.
type lookingUp struct{}

func (lookingUp) Enter(c *Core, s *session) {
	c.ops = append(c.ops, s.dialect().lookup(s))
}

func (lookingUp) Leave(*Core, *session) {}

func (lookingUp) Limit(o *Options) time.Duration { return o.WorkLimit }

// Process is never called: no message is valid here.
func (lookingUp) Process(*Core, *session, *codec.Message) {}

// lookedUp handles the store's result.
func (c *Core) lookedUp(s *session, r *storage.Result) {
	if r.Err != nil && !errors.Is(r.Err, storage.ErrNotFound) {
		c.count.storeErrors.Add(1)
		c.options.Logger.Error("account could not be read", "account", s.name, "error", r.Err)
		c.end(s, endBusy)
		return
	}
	if !c.decoys.settled && (s.method == byPassword || s.method == byNativePassword) {
		// For known names as for unknown ones: an answer for an unknown name would differ
		// now from the one after this server has met its region.
		c.end(s, endBusy)
		return
	}
	c.sessions.beginAttempt(s)
	if r.Account != nil {
		s.characters = charactersOf(r.Account)
	}
	s.dialect().found(c, s, r)
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

// proving waits for the client's proof.
type proving struct{}

func (proving) Enter(*Core, *session) {}
func (proving) Leave(*Core, *session) {}

func (proving) Limit(o *Options) time.Duration { return o.ProvingLimit }

func (proving) Process(c *Core, s *session, m *codec.Message) {
	switch m.Kind {
	case codec.KindPasswordProof:
		c.passwordProven(s, m.Native)
		return
	case codec.KindTokenProof:
		c.tokenProven(s, m.Native)
		return
	}
	a := s.attempt
	a.exchange.A, a.exchange.M1, a.files = m.Proof.A, m.Proof.M1, m.Proof.CRCHash
	// Factors are checked once the password is proven (filters.go), whatever was sent:
	// a refusal here would tell which account has one.
	a.sent = m.Proof.Factors
	if a.factor != nil {
		a.factor.take(&m.Proof)
	}
	c.become(s, StateVerifying)
}

// verifying waits for the auth pool's verdict.
type verifying struct{}

func (verifying) Enter(c *Core, s *session) { s.dialect().verify(c, s) }

func (verifying) Leave(*Core, *session) {}

func (verifying) Limit(o *Options) time.Duration { return o.WorkLimit }

// Process is never called: no message is valid here.
func (verifying) Process(*Core, *session, *codec.Message) {}

// verified handles the verdict.
func (c *Core) verified(s *session, r *auth.Result) {
	switch {
	case r.Err == nil:
		s.dialect().proven(c, s, r)
	case wrongProof(r.Err):
		c.signal(Signal{Kind: SignalProofFailed, session: s})
		c.end(s, endWrongCredentials)
	default:
		c.count.authErrors.Add(1)
		c.options.Logger.Error("proof could not be checked", "account", s.name, "error", r.Err)
		c.end(s, endBusy)
	}
}

// wrongProof tells a proof that is wrong from one that could not be checked.
func wrongProof(err error) bool {
	return errors.Is(err, srp6.ErrProof) || errors.Is(err, srp6.ErrPublicKey) ||
		errors.Is(err, srp6a.ErrProof) || errors.Is(err, srp6a.ErrPublicKey)
}

// requested goes on when no filter objected to the login.
func (c *Core) requested(s *session) {
	switch {
	case s.method == byToken: // the token that replaces it is stored first, and tells of the login
		c.become(s, StateRotating)
	case c.options.DurableLogins:
		c.become(s, StateRecording)
	default:
		c.ops = append(c.ops, c.loginOp(s, 0))
		s.dialect().admit(c, s)
	}
}

// confirming waits for a native client's second factor. It is asked for when the password
// is proven, over the sealed channel: so no name tells a stranger whether its account has
// one, and nobody sees a code on the way.
type confirming struct{}

func (confirming) Enter(c *Core, s *session) {
	f := s.attempt.factor
	f.asked = codec.FactorPIN
	if f.token {
		f.asked = codec.FactorToken
	}
	c.reply = codec.Reply{Kind: codec.ReplyFactorWanted, Factors: f.asked}
	c.send(s)
}

func (confirming) Leave(*Core, *session) {}

func (confirming) Limit(o *Options) time.Duration { return o.ProvingLimit }

func (confirming) Process(c *Core, s *session, m *codec.Message) {
	a := s.attempt
	a.factor.takeTyped(m.Native.Text)
	a.sent = a.factor.asked
	c.raise(Event{Kind: EventLoginRequested, conn: s.conn})
}
