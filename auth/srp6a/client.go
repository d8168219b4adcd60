package srp6a

import (
	"crypto/subtle"
	"fmt"

	"filippo.io/bigmod"
)

// Identity is an account's name and password. Keep one to sign in to the same account many
// times: it caches x and g^x for the last salt and params, so the KDF runs once. Not safe for
// concurrent use. It prints as a fixed word.
type Identity struct {
	name     string // folded
	password string

	// For the last salt and params, if known is true.
	known  bool
	params Params
	salt   [32]byte
	x      [32]byte
	power  *bigmod.Nat // g^x
}

// NewIdentity returns an Identity. It folds the case of the name but not of the password.
func NewIdentity(name, password string) *Identity {
	return &Identity{name: fold(name), password: password}
}

// Wipe overwrites the values computed from the password. (The password is a string, which Go
// cannot overwrite.)
func (i *Identity) Wipe() {
	clear(i.x[:])
	if i.power != nil {
		clear(i.power.Bits())
	}
	i.password, i.power, i.known = "", nil, false
}

// learn computes x and g^x unless they are cached.
func (i *Identity) learn(ch *Challenge) {
	if i.known && i.salt == ch.Salt && i.params == ch.Params {
		return
	}
	i.x = ch.KDF.key(&ch.Salt, i.name, i.password)
	i.power = ch.Group.suite().powers.raise(i.x[:])
	i.salt, i.params, i.known = ch.Salt, ch.Params, true
}

// Challenge is the server's challenge.
type Challenge struct {
	Params
	Salt [32]byte
	// B has the length of the group's prime.
	B []byte
}

// Client is the client's half of one exchange: Respond, then CheckServer, then Wipe.
// Not safe for concurrent use. It prints as a fixed word.
type Client struct {
	identity *Identity
	random   [32]byte // a
	secret   []byte   // PAD(S), set by Respond
	m2       [32]byte // the proof that the server must send
	done     bool     // Respond has succeeded
}

// NewClient starts an exchange with 32 random bytes, the secret exponent a. The client
// uses the identity until the exchange is over.
func NewClient(id *Identity, random *[32]byte) *Client {
	return &Client{identity: id, random: *random}
}

// Respond returns A, with the length of the group's prime, and M1, the answer to the server's
// challenge. It runs the KDF if the identity has not cached this salt. ErrParams, wrapped with
// the reason: there is no such group, or the KDF is not Acceptable, because it is too weak or
// costs too much. ErrPublicKey: B has the wrong size or is 0 modulo N, or u is 0.
func (c *Client) Respond(ch *Challenge) (A []byte, M1 [32]byte, err error) {
	if !ch.Group.Valid() {
		return nil, M1, fmt.Errorf("%w: there is no group of %d bits", ErrParams, ch.Group)
	}
	if err := ch.KDF.Acceptable(); err != nil {
		return nil, M1, err
	}
	q := ch.Group.suite()
	A = q.powers.raise(c.random[:]).Bytes(q.modulus)
	u, err := q.checkServerKey(A, ch.B)
	if err != nil {
		return nil, M1, err
	}
	c.identity.learn(ch)
	c.secret = q.clientSecret(&clientTerms{
		b: ch.B, u: u, x: c.identity.x[:], secret: c.random[:], power: c.identity.power,
	})
	m1, m2 := q.proofs(&said{name: c.identity.name, salt: ch.Salt[:], a: A, b: ch.B}, c.secret)
	c.m2, c.done = [32]byte(m2), true
	return A, [32]byte(m1), nil
}

// checkServerKey returns u. It returns ErrPublicKey if B or u would let the server compute S
// without the verifier.
func (s *suite) checkServerKey(a, b []byte) (u []byte, err error) {
	if len(b) != s.size() || s.residue(b).IsZero() == 1 {
		return nil, ErrPublicKey
	}
	u = s.scrambler(a, b)
	if s.number(u).IsZero() == 1 {
		return nil, ErrPublicKey
	}
	return u, nil
}

// Secret returns PAD(S), which both sides share after a login. The client owns it and
// overwrites it in Wipe. It is nil until Respond has succeeded. Do not use it before
// CheckServer has succeeded.
func (c *Client) Secret() []byte { return c.secret }

// CheckServer compares the server's proof with the expected one, in constant time. ErrProof:
// the server does not know the verifier, or Respond has not succeeded.
func (c *Client) CheckServer(M2 *[32]byte) error {
	if subtle.ConstantTimeCompare(c.m2[:], M2[:]) == 1 && c.done {
		return nil
	}
	return ErrProof
}

// Wipe overwrites the secrets, but not the identity's.
func (c *Client) Wipe() {
	clear(c.random[:])
	clear(c.secret)
	clear(c.m2[:])
	c.secret, c.done = nil, false
}

// String names the type; it never shows the secret.
func (c Client) String() string { return "client" }

// Format keeps every verb from showing the secret.
func (c Client) Format(s fmt.State, _ rune) { hidden(s, c.String()) }

// String names the type; it never shows the password.
func (i Identity) String() string { return "identity" }

// Format keeps every verb from showing the password.
func (i Identity) Format(s fmt.State, _ rune) { hidden(s, i.String()) }
