// Package factor asks for second factors and checks them: PINs and authenticator codes. It
// remembers the codes that were used, and refuses an account for a while after some wrong
// factors in a row. It belongs to the logic goroutine, and time is passed in.
package factor

import (
	"encoding/binary"
	"errors"
	"time"

	"gatepass/auth"
	"gatepass/codec"
	"gatepass/storage"
)

// Factor is what one attempt is to prove beside its password. The server
// decides: what is asked follows from the account and from what the client can
// be asked, and what comes is judged by what was asked, never by what the client
// says it sent (protocol page, 12).
//
//	account has     the client has a token field   only a PIN pad      neither
//	authenticator   the code as token              the code, as a PIN  refused
//	PIN             the PIN                        the PIN             refused
//	both            token and PIN                  the code, as a PIN  refused
//
// With both, a client that has one pad is asked for the stronger of the two.
type Factor struct {
	// pin and secret are the account's. secret belongs to the attempt, which
	// wipes it; a decoy has none, and nothing proves it.
	pin    string
	secret auth.TOTPSecret
	// token tells an account that has an authenticator.
	token bool
	// asked is what the challenge asked for; 0 when the client can give nothing
	// that would do.
	asked codec.Factors
	// pad is what both sides said about the PIN pad, padHash what the player
	// typed there.
	pad     auth.PINExchange
	padHash [20]byte
	// plain: what is typed comes as it is, over a channel that is sealed, and not as a
	// hash.
	plain bool
	// typed is the token as the player typed it, typedLen bytes of it.
	typed    [codec.MaxToken]byte
	typedLen uint8
}

// New is nil for an account without one. It takes the account's
// secret over.
func New(a *storage.Account) *Factor {
	if a.PIN == "" && len(a.TOTPSecret) == 0 {
		return nil
	}
	return &Factor{pin: a.PIN, secret: a.TOTPSecret, token: len(a.TOTPSecret) > 0}
}

// Decoy is what a name without an account pretends to have.
func Decoy() *Factor { return &Factor{token: true} }

// Wipe overwrites the account's secret and all that was typed.
func (f *Factor) Wipe() {
	clear(f.secret)
	*f = Factor{}
}

// Ask decides what is asked for, and returns it; see askable.
func (f *Factor) Ask(can codec.Factors) codec.Factors {
	f.asked = f.askable(can)
	return f.asked
}

// AskSealed decides what is asked for over a sealed channel: one factor, and the code
// rather than the PIN.
func (f *Factor) AskSealed() codec.Factors {
	f.asked = codec.FactorPIN
	if f.token {
		f.asked = codec.FactorToken
	}
	return f.asked
}

// Shuffle draws the PIN pad of a challenge. It is new for each connection: a recorded
// answer is good for nothing. (quirk 45)
func (f *Factor) Shuffle(random *[auth.RandomSize]byte, ch *codec.Challenge) {
	n := copy(f.pad.ServerSalt[:], random[:])
	f.pad.Seed = binary.LittleEndian.Uint32(random[n:])
	ch.PINSalt, ch.PINSeed = f.pad.ServerSalt, f.pad.Seed
}

// askable is what a client that can be asked for so much is asked for.
func (f *Factor) askable(can codec.Factors) codec.Factors {
	token := codec.FactorToken
	if f.pin != "" {
		token |= codec.FactorPIN
	}
	switch {
	case f.token && can&token == token:
		return token
	case can&codec.FactorPIN != 0:
		return codec.FactorPIN
	}
	return 0
}

// TakeTyped keeps a code or PIN that came over a sealed channel.
func (f *Factor) TakeTyped(text string) {
	f.plain = true
	f.typedLen = uint8(copy(f.typed[:], text))
}

// Take keeps what the client sent. Nothing is judged yet.
func (f *Factor) Take(p *codec.Proof) {
	f.pad.ClientSalt, f.padHash = p.PINSalt, p.PINHash
	f.typed, f.typedLen = p.Token, p.TokenLen
}

// prove checks what was asked for. Where a code was, step is the one it belongs
// to. The time it takes does not tell which of two factors was wrong.
func (f *Factor) prove(now time.Time) (step int64, err error) {
	switch {
	case f.asked == 0 || f.token && len(f.secret) == 0:
		return 0, auth.ErrFactor
	case !f.token && f.plain:
		if !auth.SamePIN(f.pin, string(f.typed[:f.typedLen])) {
			return 0, auth.ErrFactor
		}
		return 0, nil
	case !f.token:
		return 0, f.pad.Verify(f.pin, &f.padHash)
	case f.asked&codec.FactorToken == 0:
		return f.secret.VerifyPIN(&f.pad, &f.padHash, now)
	}
	step, err = f.secret.Verify(string(f.typed[:f.typedLen]), now)
	if f.asked&codec.FactorPIN != 0 {
		err = errors.Join(err, f.pad.Verify(f.pin, &f.padHash))
	}
	return step, err
}

// Checker checks what clients give beside their passwords.
type Checker struct {
	lock lock
	used usedCodes
}

// NewChecker makes a checker that remembers nothing.
func NewChecker() Checker { return Checker{lock: newLock(), used: newUsedCodes()} }

// Check tells whether a client whose password was right gave what it was asked for, no
// less and no more, and counts a wrong factor. A code is used up by it. f is nil for an
// account without a factor, sent what the client says it sent. now is of the ticks' clock
// and wall the time of day, in milliseconds.
func (c *Checker) Check(name storage.Name, f *Factor, sent codec.Factors, now, wall int64) bool {
	if f == nil { // also a sign-in by token, which says nothing about the factor
		return sent == 0
	}
	if !c.proven(name, f, sent, now, wall) {
		c.lock.fail(name, now)
		return false
	}
	c.lock.succeed(name)
	return true
}

func (c *Checker) proven(name storage.Name, f *Factor, sent codec.Factors, now, wall int64) bool {
	if c.lock.locked(name, now) || sent != f.asked {
		return false
	}
	step, err := f.prove(time.UnixMilli(wall))
	if err != nil {
		return false
	}
	return !f.token || c.used.use(name, step, now)
}

// Tick forgets what is over.
func (c *Checker) Tick(now, wall int64) {
	c.used.advance(now, wall)
	c.lock.advance(now)
}
