package srp6

import (
	"errors"
	"fmt"
	"io"
)

// Sizes of what the protocol carries, in bytes.
const (
	// MaxName is the longest account name a client can send that this package proves.
	MaxName = 16
	// SecretSize is the width of the server's secret exponent. Wide enough that finding it by a square-root search
	// over its range (2^76) costs more than a discrete logarithm in the group itself, and 19 bytes are what servers of
	// this family have always used; each byte more would cost about 0.2 µs a login.
	SecretSize = 19
)

// All numbers are in wire order: 32 bytes, least significant first, never shortened.
type (
	// PublicKey is A or B.
	PublicKey [32]byte
	// Salt belongs to one account. Its highest and lowest bits are set when it comes from NewSalt.
	Salt [32]byte
	// Verifier is g^x mod N: what a server keeps instead of the password. It prints as a fixed word.
	Verifier [32]byte
	// SessionKey is K, which both sides share after a login. It prints as a fixed word.
	SessionKey [40]byte
	// Proof is a SHA-1 digest that shows knowledge of a key: M1, M2, or the answer to a reconnect challenge.
	Proof [20]byte
)

// Refusals, from either side of the exchange.
var (
	// ErrPublicKey: the peer's public key is 0 modulo N, which would fix the session key at 0.
	ErrPublicKey = errors.New("srp6: public key is zero modulo N")
	// ErrProof: the peer does not know what it claims to know.
	ErrProof = errors.New("srp6: proof does not match")
)

// Wipe overwrites the key with zeros.
func (k *SessionKey) Wipe() { clear(k[:]) }

// String names the type; it never shows the key.
func (k SessionKey) String() string { return "session-key" }

// Format keeps every verb from showing the key.
func (k SessionKey) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, k.String()) }

// MarshalText keeps encoders that look for it (structured logs, JSON) from showing the key.
func (k SessionKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Valid reports whether a password can have this verifier and a login proves something with it: it is 2 … N-2. With 0,
// 1 and N-1 anyone can compute the session key, so importers must ask; Verify refuses those three too.
func (v *Verifier) Valid() bool {
	x := limbsOf((*[32]byte)(v))
	_, below := x.lessModulus()
	return below == 1 && x.isTrivial() == 0
}

// String names the type; it never shows the verifier, from which a weak password could be guessed offline.
func (v Verifier) String() string { return "verifier" }

// Format keeps every verb from showing the verifier.
func (v Verifier) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, v.String()) }

// isZero tells whether the key is 0 modulo N, for which 0 and N are the only 256-bit candidates.
func (p *PublicKey) isZero() bool {
	x := limbsOf((*[32]byte)(p))
	x.reduce()
	return x.isZero() == 1
}
