package client

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"gatepass/auth/devicetoken"
	"gatepass/auth/keyschedule"
	pb "gatepass/codec/native/gatepasspb"
)

// ErrNoToken is what TokenStore.Load returns for an account that it does not have.
var ErrNoToken = errors.New("client: no token is stored")

// Token is what a remembered device stores for one account. It cannot be printed or
// marshalled as a whole; stores must write its fields one by one.
//
//	            ┌──────── save Next ────────▶ tell the server ─┬─ accepted: Secret = Next ─┐
//	Secret ─────┤                                              │                           │
//	            └─ Next is there already: show both,           └─ not heard: both stay ────┘
//	               and name it as the next one once more
//
// If the answer to a sign-in is lost, the next sign-in uses the same Next and not a third
// secret. The server therefore always has one of the two, however often the network fails.
type Token struct {
	// Device is the device's random id, which does not change.
	Device [16]byte
	// Family is the token's id; zero if the device is not remembered.
	Family [16]byte
	// Key belongs to the family and does not change.
	Key [32]byte
	// Secret is good for one sign-in.
	Secret [32]byte
	// Next is the secret that replaces Secret at the sign-in under way. It is zero if the
	// result of the last sign-in is known; otherwise the server has one of the two.
	Next [32]byte
	// Expires is when the token ends.
	Expires time.Time
}

func (t *Token) usable() bool { return t.Family != [16]byte{} }

// pending reports whether the result of the last sign-in is not known.
func (t *Token) pending() bool { return t.Next != [32]byte{} }

func (Token) String() string               { return "[token]" }
func (Token) GoString() string             { return "[token]" }
func (Token) LogValue() slog.Value         { return slog.StringValue("[token]") }
func (Token) MarshalText() ([]byte, error) { return []byte("[token]"), nil }

// TokenStore stores the tokens of remembered devices, one for each account (its name in
// upper case). A store is for one server, or for login servers with the same accounts. With
// a store for two different servers, a client would send one server's token to the other and
// drop it when it is refused. A token must survive a crash once Save has returned nil. A
// Save that fails must leave the old or the new token complete. Each Session uses the store
// from one goroutine at a time. See NewFileTokens.
type TokenStore interface {
	// Load returns the saved token, or ErrNoToken.
	Load(account string) (Token, error)
	// Save replaces the saved token durably.
	Save(account string, t Token) error
	// Forget removes the saved token, if there is one, durably.
	Forget(account string) error
}

// TokenLocker is a TokenStore that several programs may use at once. A sign-in by token
// holds the account's lock from before it reads the token until it has saved the new one,
// because two uses of one secret look like theft. Lock waits until ctx ends.
type TokenLocker interface {
	TokenStore
	Lock(ctx context.Context, account string) (unlock func(), err error)
}

// TokenProber is a TokenStore that can check whether Save would fail. The check runs before
// the client requests a token.
type TokenProber interface {
	TokenStore
	Probe(account string) error
}

// holdToken returns the stored token. If it is usable, its lock is held until letGo.
func (s *signer) holdToken(ctx context.Context) (Token, error) {
	t, err := s.loadToken()
	locker, shared := s.o.Tokens.(TokenLocker)
	if err != nil || !t.usable() || !shared {
		return t, err
	}
	bounded, cancel := context.WithTimeoutCause(ctx, s.o.Timeout, errors.New("another program holds it"))
	defer cancel()
	if s.unlock, err = locker.Lock(bounded, s.account); err != nil {
		return Token{}, &TokenError{err}
	}
	return s.loadToken() // another program may have changed it
}

// letGo releases the lock, if it is held.
func (s *signer) letGo() {
	if s.unlock != nil {
		s.unlock()
		s.unlock = nil
	}
}

// loadToken returns the stored token. It makes a device id if there is none.
func (s *signer) loadToken() (t Token, err error) {
	if s.o.Tokens == nil {
		return Token{}, nil
	}
	t, err = s.o.Tokens.Load(s.account)
	if err != nil && !errors.Is(err, ErrNoToken) {
		return Token{}, &TokenError{err}
	}
	if t.Device == [16]byte{} {
		t.Device = s.device
	}
	if t.Device == [16]byte{} {
		if err := s.fill(t.Device[:]); err != nil {
			return Token{}, err
		}
	}
	s.device = t.Device
	return t, nil
}

// dropToken removes a token that the server has refused, and keeps the device's id. If that
// cannot be saved, the server refuses the token again at the next sign-in.
func (s *signer) dropToken(t *Token) {
	if err := s.o.Tokens.Save(s.account, Token{Device: t.Device}); err != nil {
		s.o.Logger.Warn("a token that was refused stays stored", "error", err)
	}
}

// proveToken sends the token's secret, sealed, and checks the server's proof.
func (a *attempt) proveToken(m *pb.TokenChallenge) error {
	if len(m.GetNonce()) != 32 {
		return fmt.Errorf("%w: size of a nonce", ErrProtocol)
	}
	a.nonces.Server = [32]byte(m.GetNonce())
	proof, err := a.rotate()
	if err != nil {
		return err
	}
	defer proof.Wipe()
	sealed := devicetoken.Seal(&a.token.Key, &devicetoken.Exchange{Nonces: a.nonces, Transcript: a.link.said}, proof)
	if err := a.link.send(&pb.ClientFrame{Body: &pb.ClientFrame_TokenProof{TokenProof: &pb.TokenProof{Sealed: sealed[:]}}}); err != nil {
		return err
	}
	said := [32]byte(a.link.said)
	theirs, err := a.hearAccepted()
	if err != nil {
		return err
	}
	plain := proof.Bytes()
	keys := keyschedule.Token(&a.token.Key, &plain, &a.nonces, &said)
	clear(plain[:])
	if subtle.ConstantTimeCompare(theirs[:], keys.Proof[:]) != 1 {
		keys.Wipe()
		return ErrServerProof
	}
	a.becomeAccepted(&keys)
	a.rotated()
	a.letGo()
	return nil
}

// rotate returns the proof to send. A new secret is saved before it is sent.
func (a *attempt) rotate() (*devicetoken.Proof, error) {
	t := a.token
	if t.pending() {
		return &devicetoken.Proof{Secret: t.Next, Fallback: t.Secret, Next: devicetoken.VerifierOf(&t.Next)}, nil
	}
	if err := a.fill(t.Next[:]); err != nil {
		return nil, err
	}
	if err := a.o.Tokens.Save(a.account, *t); err != nil {
		return nil, &TokenError{err}
	}
	return &devicetoken.Proof{Secret: t.Secret, Next: devicetoken.VerifierOf(&t.Next)}, nil
}

// rotated makes the next secret the current one. If that cannot be saved, the stored token
// is still good for the next sign-in.
func (a *attempt) rotated() {
	a.token.Secret, a.token.Next = a.token.Next, [32]byte{}
	if err := a.o.Tokens.Save(a.account, *a.token); err != nil {
		a.o.Logger.Warn("the device's token was not saved; the stored one is good for the next sign-in", "error", err)
	}
}
