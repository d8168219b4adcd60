package logic

import (
	"encoding/binary"
	"errors"
	"time"

	"gatepass/auth"
	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/storage"
)

// secondFactor is what one attempt is to prove beside its password. The server
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
type secondFactor struct {
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

// newSecondFactor is nil for an account without one. It takes the account's
// secret over.
func newSecondFactor(a *storage.Account) *secondFactor {
	if a.PIN == "" && len(a.TOTPSecret) == 0 {
		return nil
	}
	return &secondFactor{pin: a.PIN, secret: a.TOTPSecret, token: len(a.TOTPSecret) > 0}
}

// newDecoy is what a name without an account pretends to have.
func newDecoy() *secondFactor { return &secondFactor{token: true} }

func (f *secondFactor) wipe() {
	clear(f.secret)
	*f = secondFactor{}
}

// askable is what a client that can be asked for so much is asked for.
func (f *secondFactor) askable(can codec.Factors) codec.Factors {
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

// takeTyped keeps a code or PIN that came over a sealed channel.
func (f *secondFactor) takeTyped(text string) {
	f.plain = true
	f.typedLen = uint8(copy(f.typed[:], text))
}

// take keeps what the client sent. Nothing is judged yet.
func (f *secondFactor) take(p *codec.Proof) {
	f.pad.ClientSalt, f.padHash = p.PINSalt, p.PINHash
	f.typed, f.typedLen = p.Token, p.TokenLen
}

// prove checks what was asked for. Where a code was, step is the one it belongs
// to. The time it takes does not tell which of two factors was wrong.
func (f *secondFactor) prove(now time.Time) (step int64, err error) {
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

// secondFactors checks what clients give beside their passwords.
type secondFactors struct {
	base
	lock factorLock
	used usedCodes
}

func newSecondFactors(b base) secondFactors {
	return secondFactors{base: b, lock: newFactorLock(), used: newUsedCodes()}
}

// ask puts what a client must give beside its password into its challenge. False means
// that there are no random bytes for it.
func (f *secondFactors) ask(s *session, ch *codec.Challenge, pool *keyPool) bool {
	factor := s.attempt.factor
	if factor == nil {
		return true
	}
	factor.asked = factor.askable(f.options.Factors(s.build))
	ch.Factors = factor.asked
	if factor.asked&codec.FactorPIN == 0 {
		return true
	}
	// New for each connection: a recorded answer is good for nothing. (quirk 45)
	var random [auth.RandomSize]byte
	if !pool.random(random[:]) {
		return false
	}
	n := copy(factor.pad.ServerSalt[:], random[:])
	factor.pad.Seed = binary.LittleEndian.Uint32(random[n:])
	ch.PINSalt, ch.PINSeed = factor.pad.ServerSalt, factor.pad.Seed
	return true
}

// check tells whether an attempt whose password was right gave what it was asked for, no
// less and no more, and counts a wrong factor. A code is used up by it.
func (f *secondFactors) check(name storage.Name, a *attempt) bool {
	if a.factor == nil { // a token's sign-in, for one, says nothing about the factor
		return a.sent == 0
	}
	if !f.proven(name, a) {
		f.lock.fail(name, f.now)
		return false
	}
	f.lock.succeed(name)
	return true
}

func (f *secondFactors) proven(name storage.Name, a *attempt) bool {
	if f.lock.locked(name, f.now) || a.sent != a.factor.asked {
		return false
	}
	step, err := a.factor.prove(time.UnixMilli(f.wall))
	if err != nil {
		return false
	}
	return !a.factor.token || f.used.use(name, step, f.now)
}

// tick forgets what is over.
func (f *secondFactors) tick() {
	f.used.advance(f.now, f.wall)
	f.lock.advance(f.now)
}

// decoyed draws whether a name without an account pretends to have a second factor, for a
// share in percent of all names.
func decoyed(madeUp *srp6.Verifier, share int) bool {
	return binary.LittleEndian.Uint64(madeUp[:])%100 < uint64(share)
}
