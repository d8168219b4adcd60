package logic

import (
	"gatepass/auth"
	"gatepass/auth/devicetoken"
	"gatepass/auth/keyschedule"
	"gatepass/auth/srp6a"
	"gatepass/codec"
	"gatepass/storage"
)

// nativeAttempt is what a native sign-in needs until the client is in: exchange and proven
// for a password, token, device and next for a token.
type nativeAttempt struct {
	// exchange is nil while the pool has it.
	exchange *auth.NativeExchange
	// proven is the account's credentials that exchange proves.
	proven storage.Credentials
	token  devicetoken.Exchange
	// device is what is stored of the token, or nil if there is no such token.
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

// nativeVerifier is an account's, if it has one that can be read.
func nativeVerifier(a *storage.Account) (srp6a.Verifier, bool) {
	if a == nil {
		return srp6a.Verifier{}, false
	}
	v, err := srp6a.ParseVerifier(a.Others[storage.ProtocolNative])
	return v, err == nil
}

// challenged sends the server's half of the exchange.
func (nativeDialect) challenged(c *Core, s *session, r *auth.Result) {
	if r.Err != nil {
		c.counters.authErrors.Add(1)
		c.end(s, endBusy)
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
func (nativeDialect) challengeToken(c *Core, s *session, device *storage.Device) {
	n, signIn := s.attempt.native, s.native.signIn
	if device != nil && device.ID == signIn.Device && c.wall/1000 < device.Expires {
		n.device = device
	}
	n.token.Nonces.Client = signIn.Nonce
	if !c.pool.random(n.token.Nonces.Server[:]) {
		c.end(s, endBusy)
		return
	}
	c.become(s, StateProving)
	c.reply = codec.Reply{Kind: codec.ReplyTokenChallenge, Native: &codec.NativeReply{Nonce: n.token.Nonces.Server}}
	c.send(s)
}

// passwordProven hands a client's proof to the pool.
func (nativeDialect) passwordProven(c *Core, s *session, m *codec.NativeMessage) {
	x := s.attempt.native.exchange
	if x == nil { // it was asked for a token
		c.end(s, endProtocol)
		return
	}
	x.A, x.M1, x.Transcript = m.PublicKey, m.Proof, m.Transcript
	c.become(s, StateVerifying)
}

// tokenProven checks the proof of a token here and not in the pool: it is a few hashes. A
// token that was used before tells that somebody has a copy of it.
func (nativeDialect) tokenProven(c *Core, s *session, m *codec.NativeMessage) {
	n := s.attempt.native
	if n.exchange != nil {
		c.end(s, endProtocol)
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
		c.end(s, endTokenFailed)
	case !opens:
		c.end(s, endTokenReplayed)
		c.removals.add(s.name, storage.Device{Family: stored.Family})
		c.operator.endLogins(s.name, endCommand) // one of the two clients is not the owner, and may be in
	default:
		plain := proof.Bytes()
		n.keys = keyschedule.Token(&stored.Key, &plain, &n.token.Nonces, &m.After)
		n.proof, n.next = n.keys.Proof, proof.Next
		clear(plain[:])
		proof.Wipe()
		c.rules.raise(EventLoginRequested, s)
	}
}

// seal tells a client that its proof was right, and hands the channel's keys to its
// codec.
func (nativeDialect) seal(c *Core, s *session) {
	n := s.attempt.native
	s.native.sealed = true
	c.reply = codec.Reply{Kind: codec.ReplyAccepted, Native: &codec.NativeReply{
		Proof: n.proof, Keys: codec.ChannelKeys{ToServer: n.keys.ToServer, ToClient: n.keys.ToClient},
	}}
	c.send(s)
}

// welcome tells a client that it is in, and sends it the list of worlds.
func (nativeDialect) welcome(c *Core, s *session) {
	c.reply = codec.Reply{Kind: codec.ReplyWelcome, Native: &codec.NativeReply{
		PingEvery: uint32(c.options.PingEvery.Milliseconds()), Remembers: c.options.DeviceLifetime > 0 && s.method != ByToken,
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
	c.push.enter(s)
}
