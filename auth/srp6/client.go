package srp6

import (
	"crypto/sha1"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
)

// Identity is an account's name and password, both hashed. Keep one to log in to the same
// account many times: it caches x and g^x for the last salt. Not safe for concurrent use.
type Identity struct {
	user     [20]byte // H(U)
	password [20]byte // H(U ":" P)

	// For the last salt, if known is true.
	known bool
	salt  Salt
	x     [20]byte
	power limbs // g^x, plain, below N
}

// NewIdentity folds the case of both and hashes them.
func NewIdentity(name, password string) *Identity {
	return &Identity{user: sha1.Sum([]byte(Upper(name))), password: passwordHash(name, password)}
}

// learn computes x and g^x unless they are cached for this salt.
func (i *Identity) learn(salt *Salt) {
	if i.known && i.salt == *salt {
		return
	}
	i.x = privateKey(salt, &i.password)
	i.power = plainPower(native, i.x[:])
	i.salt, i.known = *salt, true
}

// Client is the client's half of one exchange: PublicKey and Respond, then CheckServer. Not
// safe for concurrent use. It prints as a fixed word.
type Client struct {
	identity *Identity
	secret   [32]byte // a
	a        PublicKey
	k        SessionKey
	m2       Proof // the proof that the server must send; set by Respond
	done     bool  // Respond has succeeded
}

// NewClient starts an exchange for a name and password with 32 random bytes as the secret exponent a.
func NewClient(name, password string, secret *[32]byte) *Client {
	c := NewIdentity(name, password).NewClient(secret)
	return &c
}

// NewClient starts an exchange with 32 random bytes as the secret exponent a. The client uses the identity until the
// exchange is over.
func (i *Identity) NewClient(secret *[32]byte) Client {
	power := plainPower(native, secret[:])
	return Client{identity: i, secret: *secret, a: PublicKey(power.bytes())}
}

// PublicKey returns A = g^a mod N.
func (c *Client) PublicKey() PublicKey { return c.a }

// Respond returns M1, the answer to the server's challenge. ErrPublicKey: the server sent a B
// that is 0 modulo N.
func (c *Client) Respond(B *PublicKey, salt *Salt) (M1 Proof, err error) {
	if B.isZero() {
		return Proof{}, ErrPublicKey
	}
	c.identity.learn(salt)
	u := scrambler(&c.a, B)
	s := clientSecret(native, clientTerms{b: B, a: &c.secret, x: &c.identity.x, power: &c.identity.power, u: &u})
	c.k = interleave(&s)
	t := transcript{user: c.identity.user, salt: salt, a: &c.a, b: B}
	M1 = t.clientProof(&c.k)
	c.m2, c.done = serverProof(&c.a, &M1, &c.k), true
	clear(s[:])
	return M1, nil
}

// clientTerms are the five values from which the client computes S.
type clientTerms struct {
	b     *PublicKey
	a     *[32]byte
	x     *[20]byte
	power *limbs // g^x, plain, below N
	u     *[20]byte
}

// clientSecret returns S = (B - 3·g^x)^(a + u·x) mod N. The exponent is not reduced; it is 41
// bytes wide.
func clientSecret(f backend, t clientTerms) [32]byte {
	base := limbsOf((*[32]byte)(t.b))
	base.reduce()
	for range 3 {
		base = base.sub(t.power)
	}
	base = f.toMontgomery(&base)
	e := exponent(t.a, t.u, t.x)
	power := raise(f, &base, e[:])
	plain := f.fromMontgomery(&power)
	clear(e[:])
	return plain.bytes()
}

// exponent returns a + u·x as a little-endian number. It adds word by word; 41 bytes hold the
// largest sum.
func exponent(a *[32]byte, u, x *[20]byte) (e [41]byte) {
	var sum [6]uint64
	for i := range 4 {
		sum[i] = binary.LittleEndian.Uint64(a[8*i:])
	}
	us, xs := words(u), words(x)
	for i, m := range us {
		var carry uint64
		for j, n := range xs {
			hi, lo := bits.Mul64(m, n)
			var c uint64
			lo, c = bits.Add64(lo, carry, 0)
			hi += c
			sum[i+j], c = bits.Add64(sum[i+j], lo, 0)
			carry = hi + c
		}
		for j := i + len(xs); j < len(sum); j++ {
			sum[j], carry = bits.Add64(sum[j], carry, 0)
		}
	}
	var wide [48]byte
	for i, word := range sum {
		binary.LittleEndian.PutUint64(wide[8*i:], word)
	}
	copy(e[:], wide[:])
	clear(wide[:])
	clear(sum[:])
	return e
}

// words returns a digest as a little-endian number.
func words(b *[20]byte) [3]uint64 {
	return [3]uint64{
		binary.LittleEndian.Uint64(b[0:]),
		binary.LittleEndian.Uint64(b[8:]),
		uint64(binary.LittleEndian.Uint32(b[16:])),
	}
}

// SessionKey returns K. It is zero until Respond has succeeded. Do not use it before
// CheckServer has succeeded.
func (c *Client) SessionKey() SessionKey { return c.k }

// CheckServer compares the server's proof with the expected one, in constant time. ErrProof:
// the server does not know the verifier, or Respond was not called.
func (c *Client) CheckServer(M2 *Proof) error {
	if subtle.ConstantTimeCompare(c.m2[:], M2[:]) == 1 && c.done {
		return nil
	}
	return ErrProof
}

// Wipe overwrites the secret and the session key.
func (c *Client) Wipe() {
	clear(c.secret[:])
	c.k.Wipe()
	clear(c.m2[:])
	c.done = false
}

// String names the type; it never shows the secret.
func (c Client) String() string { return "client" }

// Format keeps every verb from showing the secret.
func (c Client) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, c.String()) }

// String names the type; it never shows the hashed password.
func (i Identity) String() string { return "identity" }

// Format keeps every verb from showing the hashed password.
func (i Identity) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, i.String()) }
