package srp6

import (
	"errors"
	"fmt"
	"io"
)

// Sizes of the protocol's values, in bytes.
const (
	// MaxName is the longest account name a client can send that this package proves.
	MaxName = 16
	// SecretSize is the width of the server's secret exponent. It is wide enough: a
	// square-root search over its range (2^76) costs more than a discrete logarithm in the
	// group itself. Servers of this family have always used 19 bytes. Each more byte would
	// cost about 0.2 µs per login.
	SecretSize = 19
)

// All numbers are in wire order: least significant byte first, always 32 bytes.
type (
	// PublicKey is A or B.
	PublicKey [32]byte
	// Salt belongs to one account. Its highest and lowest bits are set when it comes from NewSalt.
	Salt [32]byte
	// Verifier is g^x mod N: what a server keeps instead of the password. It prints as a fixed word.
	Verifier [32]byte
	// SessionKey is K, the key that both sides share after a login. It prints as a fixed word.
	SessionKey [40]byte
	// Proof is a SHA-1 digest that proves knowledge of a key: M1, M2, or the answer to a
	// reconnect challenge.
	Proof [20]byte
)

// Errors of either side of the exchange.
var (
	// ErrPublicKey: the peer's public key is 0 modulo N, which would make S 0 and so fix the
	// session key.
	ErrPublicKey = errors.New("srp6: public key is zero modulo N")
	// ErrProof: the peer does not know the password or the verifier.
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

// Valid reports whether the verifier is 2 … N-2, so that a password can have it and a login
// with it proves something. With 0, 1 and N-1 anyone can compute the session key, so importers
// must check; Verify refuses those three too.
func (v *Verifier) Valid() bool {
	x := limbsOf((*[32]byte)(v))
	_, below := x.lessModulus()
	return below == 1 && x.isTrivial() == 0
}

// String names the type; it never shows the verifier, from which a weak password could be guessed offline.
func (v Verifier) String() string { return "verifier" }

// Format keeps every verb from showing the verifier.
func (v Verifier) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, v.String()) }

// isZero reports whether the key is 0 modulo N. Only the 256-bit numbers 0 and N are.
func (p *PublicKey) isZero() bool {
	x := limbsOf((*[32]byte)(p))
	x.reduce()
	return x.isZero() == 1
}
