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

// Token is what a remembered device keeps of one account. It shows itself to
// nobody; stores have to write its fields one by one.
//
//	            ┌──────── save Next ────────▶ tell the server ─┬─ accepted: Secret = Next ─┐
//	Secret ─────┤                                              │                           │
//	            └─ Next is there already: show both,           └─ not heard: both stay ────┘
//	               and name it as the next one once more
//
// A try whose end was not heard is repeated with the secret that it had drawn, and not
// with a third one: the server has one of two, however often the network fails.
type Token struct {
	// Device is the device's own id, drawn once.
	Device [16]byte
	// Family names the token; zero when the device is not remembered.
	Family [16]byte
	// Key stays the same for a family.
	Key [32]byte
	// Secret lets in once.
	Secret [32]byte
	// Next is the secret that a sign-in under way puts in place of Secret. It is zero
	// when how the last sign-in ended is known; else the server has one of the two.
	Next [32]byte
	// Expires is when it ends.
	Expires time.Time
}

func (t *Token) usable() bool { return t.Family != [16]byte{} }

// pending tells that the end of a sign-in was not heard.
func (t *Token) pending() bool { return t.Next != [32]byte{} }

func (Token) String() string               { return "[token]" }
func (Token) GoString() string             { return "[token]" }
func (Token) LogValue() slog.Value         { return slog.StringValue("[token]") }
func (Token) MarshalText() ([]byte, error) { return []byte("[token]"), nil }

// TokenStore keeps the tokens of remembered devices, one for each account (its name
// in capitals), of one server: of login servers that know the same accounts. A client
// of another one has a store of its own; it would show that one this one's token, and
// drop it when it is refused. What Save has returned for must be there after a crash; a Save that
// fails must leave the old or the new, whole. A store is used from one goroutine at
// a time for each Session. See NewFileTokens.
type TokenStore interface {
	// Load finds what was saved, or says ErrNoToken.
	Load(account string) (Token, error)
	// Save replaces what was saved, durably.
	Save(account string, t Token) error
	// Forget removes what was saved, if anything, durably.
	Forget(account string) error
}

// TokenLocker is a TokenStore that several programs may use at once. A sign-in by token
// holds the account's lock from before it reads the token until it has saved what
// became of it: two that show one secret look like a theft. Lock waits until ctx ends.
type TokenLocker interface {
	TokenStore
	Lock(ctx context.Context, account string) (unlock func(), err error)
}

// TokenProber is a TokenStore that can tell, before the server is asked for a token,
// that Save would fail.
type TokenProber interface {
	TokenStore
	Probe(account string) error
}

// holdToken reads what is stored and, if it is a token, holds its lock until letGo.
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
	return s.loadToken() // it may have changed since
}

// letGo gives the lock to the next, if it is held.
func (s *signer) letGo() {
	if s.unlock != nil {
		s.unlock()
		s.unlock = nil
	}
}

// loadToken reads what is stored and makes sure that the device has an id.
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

// dropToken forgets a token that the server does not take, but not the device. The
// loss of it is no loss: when it cannot be saved the server refuses it again.
func (s *signer) dropToken(t *Token) {
	if err := s.o.Tokens.Save(s.account, Token{Device: t.Device}); err != nil {
		s.o.Logger.Warn("a token that was refused stays stored", "error", err)
	}
}

// proveToken shows the token's secret, sealed, and checks the server's proof.
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

// rotate says what to show. A secret that the server is told of is saved before.
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

// rotated notes that the server has the next secret. When that cannot be saved, what
// is stored still lets in.
func (a *attempt) rotated() {
	a.token.Secret, a.token.Next = a.token.Next, [32]byte{}
	if err := a.o.Tokens.Save(a.account, *a.token); err != nil {
		a.o.Logger.Warn("the device's token was not saved; the stored one is good for the next sign-in", "error", err)
	}
}
