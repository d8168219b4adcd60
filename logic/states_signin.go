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

func (t connected) Step(c *Core, s *session, in Input) bool {
	switch in.Kind {
	case InputMessage:
		t.hello(c, s, in.Message)
	case inputPassed:
		c.become(s, StateLookingUp)
	default:
		return false
	}
	return true
}

func (connected) hello(c *Core, s *session, m *codec.Message) {
	s.build = m.Hello.Build
	s.dialect().hello(s, m)
	name, err := storage.FoldName(m.Hello.Name.Bytes())
	if err != nil {
		// No account can have such a name, so the refusal tells a stranger nothing.
		c.end(s, endWrongCredentials)
		return
	}
	s.name = name
	judge(s, &m.Hello, c.service.versions)
	c.rules.raise(EventHello, s)
}

// lookingUp waits for the account from the store, and for what the auth pool makes for
// the challenge.
type lookingUp struct{}

func (lookingUp) Enter(c *Core, s *session) {
	c.effects.request(s.dialect().lookup(s))
}

func (lookingUp) Leave(*Core, *session) {}

func (lookingUp) Limit(o *Options) time.Duration { return o.WorkLimit }

func (t lookingUp) Step(c *Core, s *session, in Input) bool {
	switch {
	case in.Kind == InputStored && (in.Stored.Kind == storage.OpGet || in.Stored.Kind == storage.OpDevice) && s.attempt == nil:
		t.found(c, s, in.Stored)
	case in.Kind == InputProved && in.Proved.Kind == auth.JobNativeChallenge && s.attempt != nil:
		nativeDialect{}.challenged(c, s, in.Proved)
	case in.Kind == inputKeyReady && s.attempt != nil:
		c.pool.take(&s.attempt.ephemeral)
		gruntDialect{}.challenge(c, s)
	default:
		return false
	}
	return true
}

// found handles the store's result.
func (lookingUp) found(c *Core, s *session, r *storage.Result) {
	if r.Err != nil && !errors.Is(r.Err, storage.ErrNotFound) {
		c.counters.storeErrors.Add(1)
		c.options.Logger.Error("account could not be read", "account", s.name, "error", r.Err)
		c.end(s, endBusy)
		return
	}
	if !c.decoys.ready() && (s.method == ByPassword || s.method == ByNativePassword) {
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

func (t proving) Step(c *Core, s *session, in Input) bool {
	if in.Kind == inputPassed { // a token was proven right away
		requested(c, s)
		return true
	}
	if in.Kind != InputMessage {
		return false
	}
	switch m := in.Message; m.Kind {
	case codec.KindPasswordProof:
		nativeDialect{}.passwordProven(c, s, m.Native)
	case codec.KindTokenProof:
		nativeDialect{}.tokenProven(c, s, m.Native)
	default:
		t.proof(c, s, &m.Proof)
	}
	return true
}

// proof takes the proof of an existing client. Factors are checked once the password is
// proven (rulebook.go), whatever was sent: a refusal here would tell which account has one.
func (proving) proof(c *Core, s *session, p *codec.Proof) {
	a := s.attempt
	a.exchange.A, a.exchange.M1, a.files = p.A, p.M1, p.CRCHash
	a.sent = p.Factors
	if a.factor != nil {
		a.factor.Take(p)
	}
	c.become(s, StateVerifying)
}

// verifying waits for the auth pool's verdict.
type verifying struct{}

func (verifying) Enter(c *Core, s *session) { s.dialect().verify(c, s) }

func (verifying) Leave(*Core, *session) {}

func (verifying) Limit(o *Options) time.Duration { return o.WorkLimit }

func (t verifying) Step(c *Core, s *session, in Input) bool {
	switch {
	case in.Kind == inputPassed:
		requested(c, s)
	case in.Kind == InputProved && (in.Proved.Kind == auth.JobProve || in.Proved.Kind == auth.JobNativeProve):
		t.proved(c, s, in.Proved)
	default:
		return false
	}
	return true
}

// proved handles the verdict.
func (verifying) proved(c *Core, s *session, r *auth.Result) {
	switch {
	case r.Err == nil:
		s.dialect().proven(c, s, r)
	case wrongProof(r.Err):
		c.end(s, endProofFailed)
	default:
		c.counters.authErrors.Add(1)
		c.options.Logger.Error("proof could not be checked", "account", s.name, "error", r.Err)
		c.end(s, endBusy)
	}
}

// wrongProof tells a proof that is wrong from one that could not be checked.
func wrongProof(err error) bool {
	return errors.Is(err, srp6.ErrProof) || errors.Is(err, srp6.ErrPublicKey) ||
		errors.Is(err, srp6a.ErrProof) || errors.Is(err, srp6a.ErrPublicKey)
}

// requested goes on when no rule objected to the login.
func requested(c *Core, s *session) {
	switch {
	case s.method == ByToken: // the token that replaces it is stored first, and tells of the login
		c.become(s, StateRotating)
	case c.options.DurableLogins:
		c.become(s, StateRecording)
	default:
		c.effects.request(loginOp(c, s, 0))
		s.dialect().admit(c, s)
	}
}

// confirming waits for a native client's second factor. It is asked for when the password
// is proven, over the sealed channel: so no name tells a stranger whether its account has
// one, and nobody sees a code on the way.
type confirming struct{}

func (confirming) Enter(c *Core, s *session) {
	s.attempt.sent = s.attempt.factor.AskSealed() // a client can only answer what is asked
	c.say(s, codec.Reply{Kind: codec.ReplyFactorWanted, Factors: s.attempt.sent})
}

func (confirming) Leave(*Core, *session) {}

func (confirming) Limit(o *Options) time.Duration { return o.ProvingLimit }

func (confirming) Step(c *Core, s *session, in Input) bool {
	switch in.Kind {
	case InputMessage:
		a := s.attempt
		a.factor.TakeTyped(in.Message.Native.Text)
		c.rules.raise(EventLoginRequested, s)
	case inputPassed:
		requested(c, s)
	default:
		return false
	}
	return true
}

// recording delays the reply until the login's record is on disk.
type recording struct{}

func (recording) Enter(c *Core, s *session) {
	op := loginOp(c, s, uint64(s.conn))
	op.Synced = true
	c.effects.request(op)
}

func (recording) Leave(*Core, *session) {}

func (recording) Limit(o *Options) time.Duration { return o.WorkLimit }

func (t recording) Step(c *Core, s *session, in Input) bool {
	if in.Kind != InputStored || in.Stored.Kind != storage.OpLogin {
		return false
	}
	t.stored(c, s, in.Stored)
	return true
}

func loginOp(c *Core, s *session, tag uint64) storage.Op {
	return storage.Op{Kind: storage.OpLogin, Tag: tag, Name: s.name, At: c.wall / 1000, Addr: s.peer}
}

// stored handles the store's result.
func (recording) stored(c *Core, s *session, r *storage.Result) {
	switch {
	case errors.Is(r.Err, storage.ErrFailed):
		// The disk takes no writes. Players may come in all the same: the store counts
		// the records that it drops, and reports what is wrong.
	case r.Err != nil:
		c.counters.storeErrors.Add(1)
		c.options.Logger.Error("login could not be recorded", "account", s.name, "error", r.Err)
		c.end(s, endBusy)
		return
	}
	s.dialect().admit(c, s)
}

// rotating waits until the token that a client has just used is replaced on disk:
// each is good for one sign-in, also when two clients come with it at once.
type rotating struct{}

func (rotating) Enter(c *Core, s *session) {
	n := s.attempt.native
	c.effects.request(storage.Op{
		Kind: storage.OpRotateDevice, Tag: uint64(s.conn), Name: s.name, At: c.wall / 1000, Addr: s.peer,
		Device: &storage.Device{Family: n.device.Family, Verifier: n.next}, Expect: n.device.Verifier,
	})
}

func (rotating) Leave(*Core, *session) {}

func (rotating) Limit(o *Options) time.Duration { return o.WorkLimit }

func (t rotating) Step(c *Core, s *session, in Input) bool {
	if in.Kind != InputStored || in.Stored.Kind != storage.OpRotateDevice {
		return false
	}
	t.stored(c, s, in.Stored)
	return true
}

// stored handles the store's result.
func (rotating) stored(c *Core, s *session, r *storage.Result) {
	switch {
	case r.Err == nil && s.tooOld():
		c.become(s, StateUpdating)
	case r.Err == nil:
		c.effects.request(loginOp(c, s, 0))
		s.dialect().admit(c, s)
	case errors.Is(r.Err, storage.ErrConflict):
		// Another sign-in by this token was faster: this client's own, whose connection it
		// lost, or somebody else's. Which of them, the client learns when it tries again.
		c.end(s, endBusy)
	case errors.Is(r.Err, storage.ErrNotFound):
		c.end(s, endTokenFailed)
	default:
		c.counters.storeErrors.Add(1)
		c.options.Logger.Error("token could not be replaced", "account", s.name, "error", r.Err)
		c.end(s, endBusy)
	}
}
