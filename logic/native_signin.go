package logic

import (
	"encoding/binary"
	"errors"

	"gatepass/auth"
	"gatepass/auth/devicetoken"
	"gatepass/auth/keyschedule"
	"gatepass/auth/srp6a"
	"gatepass/codec"
	"gatepass/storage"
	"gatepass/worlds"
)

// nativeAttempt is what is needed between a native client's hello and the verdict
// on it: of exchange for a password, of the rest for a token.
type nativeAttempt struct {
	// exchange is nil while the pool has it.
	exchange *auth.NativeExchange
	// proven is the account's credentials that exchange proves.
	proven storage.Credentials
	token  devicetoken.Exchange
	// device is what is stored of the token; nil for a token that there is not.
	device *storage.Device
	next   [32]byte // the verifier that takes the place of the one used
	// keys are the outcome, proof the server's.
	keys  keyschedule.Keys
	proof [32]byte
}

func (a *nativeAttempt) wipe() {
	a.keys.Wipe()
	if a.exchange != nil {
		a.exchange.Wipe()
	}
	*a = nativeAttempt{}
}

// lookupOp reads what a sign-in needs.
func lookupOp(s *session) storage.Op {
	op := storage.Op{Kind: storage.OpGet, Tag: uint64(s.conn), Name: s.name, Brief: true}
	if s.byToken() {
		op.Kind, op.Device = storage.OpDevice, &storage.Device{Family: s.native.signIn.Family}
	}
	return op
}

// byToken tells whether a client signs in by the token of its device.
func (s *session) byToken() bool {
	return s.native != nil && s.native.signIn != nil && s.native.signIn.ByToken
}

// lookedUpNative takes the store's answer. Whether there is such an account, or
// such a token, shows in nothing: what is not there is made up.
func (c *Core) lookedUpNative(s *session, r *storage.Result) {
	a := s.attempt
	a.native = new(nativeAttempt)
	if a.known = r.Account != nil; a.known {
		a.ban = r.Account.Ban
	}
	if s.byToken() {
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

// nativeVerifier is an account's, if it has one that can be read.
func nativeVerifier(a *storage.Account) (srp6a.Verifier, bool) {
	if a == nil {
		return srp6a.Verifier{}, false
	}
	v, err := srp6a.ParseVerifier(a.Others[storage.ProtocolNative])
	return v, err == nil
}

// challenged sends the server's half of the exchange.
func (c *Core) challenged(s *session, r *auth.Result) {
	if r.Err != nil {
		c.count.authErrors.Add(1)
		c.refuse(s, codec.ReplyRefused, codec.ResultBusy)
		return
	}
	x := r.Native
	s.attempt.native.exchange = x
	v := &x.Server.Verifier
	c.become(s, StateProving)
	c.reply = codec.Reply{Kind: codec.ReplyPasswordChallenge, Native: &codec.NativeReply{
		Nonce: x.ServerNonce, Group: uint16(v.Group), Salt: v.Salt,
		Memory: v.KDF.MemoryKiB, Passes: v.KDF.Passes, Lanes: v.KDF.Lanes, PublicKey: x.Server.B,
	}}
	c.send(s)
}

// challengeToken sends random bytes for the proof of a token.
func (c *Core) challengeToken(s *session, device *storage.Device) {
	n, signIn := s.attempt.native, s.native.signIn
	if device != nil && device.ID == signIn.Device && c.wall/1000 < device.Expires {
		n.device = device
	}
	n.token.Nonces.Client = signIn.Nonce
	if !c.stock.random(n.token.Nonces.Server[:]) {
		c.refuse(s, codec.ReplyRefused, codec.ResultBusy)
		return
	}
	c.become(s, StateProving)
	c.reply = codec.Reply{Kind: codec.ReplyTokenChallenge, Native: &codec.NativeReply{Nonce: n.token.Nonces.Server}}
	c.send(s)
}

// passwordProven hands a client's proof to the pool.
func (c *Core) passwordProven(s *session, m *codec.NativeMessage) {
	x := s.attempt.native.exchange
	if x == nil { // it was asked for a token
		c.refuse(s, codec.ReplyRefused, codec.ResultProtocol)
		return
	}
	x.A, x.M1, x.Transcript = m.PublicKey, m.Proof, m.Transcript
	c.become(s, StateVerifying)
}

// tokenProven checks the proof of a token here and not in the pool: it is a few
// hashes. One that was used before says that somebody has a copy of it.
func (c *Core) tokenProven(s *session, m *codec.NativeMessage) {
	n := s.attempt.native
	if n.exchange != nil {
		c.refuse(s, codec.ReplyRefused, codec.ResultProtocol)
		return
	}
	stored := storage.Device{}
	if n.device != nil {
		stored = *n.device
	}
	n.token.Transcript = m.Transcript
	proof, err := devicetoken.Open(&stored.Key, &n.token, &m.Sealed)
	opens := proof.Opens(&stored.Verifier)
	switch {
	case err != nil || n.device == nil:
		c.signal(Signal{Kind: SignalTokenFailed, session: s})
		c.refuse(s, codec.ReplyRefused, codec.ResultBadCredentials)
	case !opens:
		c.signal(Signal{Kind: SignalTokenReplayed, session: s})
		c.refuse(s, codec.ReplyRefused, codec.ResultBadCredentials)
		c.removeDevice(s.name, storage.Device{Family: stored.Family})
		c.kickAccount(s.name, codec.ResultOK) // one of the two is not its owner, and may be in
	default:
		plain := proof.Bytes()
		n.keys = keyschedule.Token(&stored.Key, &plain, &n.token.Nonces, &m.After)
		n.proof, n.next = n.keys.Proof, proof.Next
		clear(plain[:])
		proof.Wipe()
		c.raise(Event{Kind: EventLoginRequested, conn: s.conn})
	}
}

// verifiedNative takes the pool's verdict on a password. From here on what is said
// is sealed, and only to who has proven the password.
func (c *Core) verifiedNative(s *session, r *auth.Result) {
	switch {
	case r.Err == nil:
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
	case errors.Is(r.Err, srp6a.ErrProof), errors.Is(r.Err, srp6a.ErrPublicKey):
		c.signal(Signal{Kind: SignalProofFailed, session: s})
		c.refuse(s, codec.ReplyRefused, codec.ResultBadCredentials)
	default:
		c.count.authErrors.Add(1)
		c.options.Logger.Error("proof could not be checked", "account", s.name, "error", r.Err)
		c.refuse(s, codec.ReplyRefused, codec.ResultBusy)
	}
}

// seal tells a client that its proof was right, and hands the channel's keys to its
// codec.
func (c *Core) seal(s *session) {
	n := s.attempt.native
	s.native.sealed = true
	c.reply = codec.Reply{Kind: codec.ReplyAccepted, Native: &codec.NativeReply{
		Proof: n.proof, Keys: codec.ChannelKeys{ToServer: n.keys.ToServer, ToClient: n.keys.ToClient},
	}}
	c.send(s)
}

// admitNative lets a proven native client in.
func (c *Core) admitNative(s *session) {
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
	if signIn.ByToken {
		kind = SignalTokenLoggedIn
		s.native.byToken = true
	}
	s.native.device, s.native.proven, s.native.signIn = signIn.Device, n.proven, nil
	c.become(s, StateChoosing)
	c.signal(Signal{Kind: kind, session: s})
	c.welcome(s)
	if c.draining && s.state == StateChoosing { // it was on its way in when the drain began
		c.goAway(s)
	}
}

// welcome tells a client that it is in, and what there is to choose from.
func (c *Core) welcome(s *session) {
	c.reply = codec.Reply{Kind: codec.ReplyWelcome, Native: &codec.NativeReply{
		PingEvery: uint32(c.options.PingEvery.Milliseconds()), Remembers: c.options.DeviceLifetime > 0 && !s.native.byToken,
	}}
	c.send(s)
	if len(s.characters) > 0 {
		counts := make([]codec.CharacterCount, len(s.characters))
		for i, n := range s.characters {
			counts[i] = codec.CharacterCount(n)
		}
		c.reply = codec.Reply{Kind: codec.ReplyCharacters, Native: &codec.NativeReply{Counts: counts}}
		c.send(s)
	}
	s.native.counted = true
	if c.natives++; c.natives == 1 {
		c.publishWorlds() // nobody has looked at the list for a while
	}
	c.sendSnapshot(s)
}

// confirm takes the code that was asked for.
func (f *secondFactor) confirm(m *codec.NativeMessage) {
	f.typedLen = uint8(copy(f.typed[:], m.Text))
}

// pinTyped checks a code as typed. The time it takes does not tell how far a
// PIN was right.
func (f *secondFactor) pinTyped() bool {
	return auth.SamePIN(f.pin, string(f.typed[:f.typedLen]))
}
