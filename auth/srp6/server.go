package srp6

import (
	"bytes"
	"crypto/sha1"
	"crypto/subtle"
	"fmt"
	"io"
)

// Ephemeral is the server's half of one exchange: a secret exponent b and g^b. It does not
// depend on the account, so it can be made in advance. It is a plain value without pointers.
// Use it for one login only, then call Wipe. It prints as a fixed word.
type Ephemeral struct {
	secret [SecretSize]byte
	power  limbs // g^b, plain, below N
}

// Exchange has what the server and one client have sent each other, up to the proof. It is a
// plain value without pointers, so it can be queued.
type Exchange struct {
	Name     [MaxName]byte // account name, zero padded; its case is folded here
	Salt     Salt          // as sent in the challenge
	Verifier Verifier      // of the account; secret
	B        PublicKey     // as sent in the challenge
	A        PublicKey     // as the client sent it
	M1       Proof         // as the client sent it
}

// NewEphemeral returns an Ephemeral made of SecretSize random bytes. Any goroutine may call
// it; constant time.
func NewEphemeral(random *[SecretSize]byte) Ephemeral {
	return Ephemeral{secret: *random, power: plainPower(native, random[:])}
}

// plainPower returns g^secret in plain form.
func plainPower(f backend, secret []byte) limbs {
	power := raiseGenerator(f, secret)
	return f.fromMontgomery(&power)
}

// PublicKey returns B = 3v + g^b mod N, for the challenge. It costs a few additions, so the
// caller can do it on its own goroutine. Constant time.
func (e *Ephemeral) PublicKey(v *Verifier) PublicKey { return publicKey(&e.power, v) }

func publicKey(power *limbs, v *Verifier) PublicKey {
	x := limbsOf((*[32]byte)(v))
	x.reduce()
	b := x.add(&x)
	b = b.add(&x)
	b = b.add(power)
	return PublicKey(b.bytes())
}

// Verify checks the client's proof. On success K is the session key and M2 the server's own proof. Otherwise both are
// zero and err is ErrPublicKey (A is 0 modulo N) or ErrProof (the password is wrong, or the verifier is unusable).
// The same work is done, in the same time, whatever the outcome. Any goroutine may call it; nothing is allocated.
func (e *Ephemeral) Verify(x *Exchange) (K SessionKey, M2 Proof, err error) {
	return verify(native, e.secret[:], x)
}

func verify(f backend, secret []byte, x *Exchange) (k SessionKey, m2 Proof, err error) {
	u := scrambler(&x.A, &x.B)
	s := serverSecret(f, x, u[:], secret)
	k = interleave(&s)
	t := transcript{user: nameHash(&x.Name), salt: &x.Salt, a: &x.A, b: &x.B}
	m1 := t.clientProof(&k)
	m2 = serverProof(&x.A, &x.M1, &k)
	matches := subtle.ConstantTimeCompare(m1[:], x.M1[:]) == 1
	clear(s[:])
	clear(m1[:])
	switch {
	case x.A.isZero():
		err = ErrPublicKey
	case !matches, !x.Verifier.usable():
		err = ErrProof
	default:
		return k, m2, nil
	}
	k.Wipe()
	return k, Proof{}, err
}

// serverSecret returns S = (A·v^u)^b mod N.
func serverSecret(f backend, x *Exchange, u, secret []byte) [32]byte {
	a, v := limbsOf((*[32]byte)(&x.A)), limbsOf((*[32]byte)(&x.Verifier))
	a, v = f.toMontgomery(&a), f.toMontgomery(&v)
	base := raisePublic(f, &v, u)
	f.mul(&base, &base, &a)
	power := raise(f, &base, secret)
	plain := f.fromMontgomery(&power)
	return plain.bytes()
}

// usable reports whether v modulo N is not 0, 1 or N-1. With these three anyone can compute S.
// (A value above N is unusual, but usable.)
func (v *Verifier) usable() bool {
	x := limbsOf((*[32]byte)(v))
	x.reduce()
	return x.isTrivial() == 0
}

// nameHash returns H(U).
func nameHash(name *[MaxName]byte) [20]byte {
	var b [MaxName]byte
	return sha1.Sum(appendUpper(b[:0], bytes.TrimRight(name[:], "\x00")))
}

// Wipe overwrites the secret.
func (e *Ephemeral) Wipe() {
	clear(e.secret[:])
	clear(e.power[:])
}

// String names the type; it never shows the secret.
func (e Ephemeral) String() string { return "ephemeral" }

// Format keeps every verb from showing the secret.
func (e Ephemeral) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, e.String()) }
