package devicetoken

import (
	"crypto/cipher"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"

	"gatepass/auth/keyschedule"
	"golang.org/x/crypto/chacha20poly1305"
)

// ErrSeal: the proof was not sealed with this token's key for this exchange.
var ErrSeal = errors.New("devicetoken: proof does not open")

// SealedSize is the size of a sealed proof: the proof and the seal's tag.
const SealedSize = 3*32 + chacha20poly1305.Overhead

// Exchange has what both sides have sent: their nonces, and the hash of all messages before
// the proof.
type Exchange struct {
	Nonces     keyschedule.Nonces
	Transcript [32]byte
}

// Proof is a client's proof that it has the token. It prints as a fixed word.
type Proof struct {
	// Secret is the client's secret.
	Secret [32]byte
	// Fallback is the second secret of a client that does not know which of its two secrets is
	// valid; zero for none.
	Fallback [32]byte
	// Next is the verifier of the secret that is valid from now on.
	Next [32]byte
}

// VerifierOf returns what a server stores of a secret: its SHA-256.
func VerifierOf(secret *[32]byte) [32]byte { return sha256.Sum256(secret[:]) }

// Seal seals a proof with the family's key for one exchange.
func Seal(key *[32]byte, e *Exchange, p *Proof) (sealed [SealedSize]byte) {
	plain := p.Bytes()
	once := keyschedule.TokenKey(key, &e.Nonces)
	seal(&once).Seal(sealed[:0], zeroNonce[:], plain[:], e.Transcript[:])
	clear(once[:])
	clear(plain[:])
	return sealed
}

// Open opens a sealed proof. It returns ErrSeal if the key or the exchange differs from
// Seal's, or the bytes were changed.
func Open(key *[32]byte, e *Exchange, sealed *[SealedSize]byte) (Proof, error) {
	once := keyschedule.TokenKey(key, &e.Nonces)
	var plain [SealedSize - chacha20poly1305.Overhead]byte
	_, err := seal(&once).Open(plain[:0], zeroNonce[:], sealed[:], e.Transcript[:])
	clear(once[:])
	if err != nil {
		return Proof{}, ErrSeal
	}
	p := Proof{Secret: [32]byte(plain[:]), Fallback: [32]byte(plain[32:]), Next: [32]byte(plain[64:])}
	clear(plain[:])
	return p, nil
}

// zeroNonce is safe as the nonce, because each key is used once.
var zeroNonce [chacha20poly1305.NonceSize]byte

func seal(key *[32]byte) cipher.AEAD {
	c, err := chacha20poly1305.New(key[:])
	if err != nil {
		panic("devicetoken: " + err.Error())
	}
	return c
}

// Bytes returns secret, fallback and next verifier, one after the other, as Seal encrypts them
// and as keyschedule.Token takes them. They are secret.
func (p *Proof) Bytes() (b [96]byte) {
	copy(b[:], p.Secret[:])
	copy(b[32:], p.Fallback[:])
	copy(b[64:], p.Next[:])
	return b
}

// Opens reports whether verifier belongs to the secret or to the fallback. A zero fallback
// matches nothing. Constant time.
func (p *Proof) Opens(verifier *[32]byte) bool {
	first, second := VerifierOf(&p.Secret), VerifierOf(&p.Fallback)
	var zero [32]byte
	none := subtle.ConstantTimeCompare(p.Fallback[:], zero[:])
	fits := subtle.ConstantTimeCompare(first[:], verifier[:])
	fits |= subtle.ConstantTimeCompare(second[:], verifier[:]) &^ none
	return fits == 1
}

// Wipe overwrites the proof.
func (p *Proof) Wipe() { *p = Proof{} }

// String names the type; it never shows a secret.
func (p Proof) String() string { return "proof" }

// Format keeps every verb from showing a secret.
func (p Proof) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, p.String()) }

// MarshalText keeps encoders that look for it from showing a secret.
func (p Proof) MarshalText() ([]byte, error) { return []byte(p.String()), nil }
