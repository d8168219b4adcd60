package srp6a

import (
	"bytes"
	"encoding/hex"
	"hash"

	"filippo.io/bigmod"
)

// suite is a group with a hash: everything in the formulas except the values of the two sides.
// In production the hash is SHA-256. The RFC's vectors use SHA-1 and a group that is too small
// to offer. It is only read once made.
type suite struct {
	hash    func() hash.Hash
	modulus *bigmod.Modulus
	k       *bigmod.Nat // H(N | PAD(g))
	mask    []byte      // H(N) xor H(g)
	powers  *comb       // of g
	shift   *bigmod.Nat // 2^8n, for N of n bytes
}

// newSuite returns the suite of an odd prime, in hexadecimal digits, and a generator below
// 256.
func newSuite(hash func() hash.Hash, prime string, g byte) *suite {
	n, err := hex.DecodeString(prime)
	if err != nil {
		panic("srp6a: prime is not hexadecimal")
	}
	modulus, err := bigmod.NewModulus(n)
	if err != nil {
		panic("srp6a: prime is not usable")
	}
	s := &suite{hash: hash, modulus: modulus}
	padded := make([]byte, len(n))
	padded[len(n)-1] = g
	s.k = s.number(s.sum(n, padded))
	s.mask = s.sum(n)
	for i, b := range s.sum([]byte{g}) {
		s.mask[i] ^= b
	}
	s.powers = newComb(s.number([]byte{g}), modulus)
	ones := bytes.Repeat([]byte{0xff}, len(n))
	s.shift = s.residue(ones).Add(s.number([]byte{1}), modulus)
	return s
}

// size returns the length of N in bytes.
func (s *suite) size() int { return s.modulus.Size() }

// sum returns the hash of the concatenated parts.
func (s *suite) sum(parts ...[]byte) []byte {
	h := s.hash()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// number returns a big-endian number below N. It panics on any other, which would be a bug in
// gatepass.
func (s *suite) number(b []byte) *bigmod.Nat {
	x, err := bigmod.NewNat().SetBytes(b, s.modulus)
	if err != nil {
		panic("srp6a: number is not below N")
	}
	return x
}

// residue returns a peer's number modulo N. b must have the length of N. N has its highest bit
// set, so one reduction is enough.
func (s *suite) residue(b []byte) *bigmod.Nat {
	x, err := bigmod.NewNat().SetOverflowingBytes(b, s.modulus)
	if err != nil {
		panic("srp6a: number is longer than N")
	}
	return x
}

// uniform returns a big-endian number modulo N. b has uniformLead bytes more than N, and is a
// high part times 2^8n plus a low part of n bytes.
func (s *suite) uniform(b []byte) *bigmod.Nat {
	z := s.number(b[:uniformLead]).Mul(s.shift, s.modulus)
	return z.Add(s.residue(b[uniformLead:]), s.modulus)
}

// scrambler returns u = H(PAD(A) | PAD(B)).
func (s *suite) scrambler(a, b []byte) []byte { return s.sum(a, b) }

// said has what both sides have sent. A and B have the length of N.
type said struct {
	name string // folded
	salt []byte
	a, b []byte
}

// proofs returns M1 and M2 for a secret with the length of N:
//
//	K = H(PAD(S))
//	M1 = H((H(N) xor H(g)) | H(I) | salt | PAD(A) | PAD(B) | K)
//	M2 = H(PAD(A) | M1 | K)
//
// M2 is computed from the correct M1, never from one that a peer sent.
func (s *suite) proofs(t *said, secret []byte) (m1, m2 []byte) {
	key := s.sum(secret)
	m1 = s.sum(s.mask, s.sum([]byte(t.name)), t.salt, t.a, t.b, key)
	m2 = s.sum(t.a, m1, key)
	clear(key)
	return m1, m2
}

// serverKey returns B = kv + g^b.
func (s *suite) serverKey(v, secret []byte) []byte {
	b := s.number(v)
	b.Mul(s.k, s.modulus)
	b.Add(s.powers.raise(secret), s.modulus)
	return b.Bytes(s.modulus)
}

// serverTerms are the four values from which the server computes S.
type serverTerms struct{ a, v, u, secret []byte }

// serverSecret returns S = (A * v^u)^b, padded.
func (s *suite) serverSecret(t *serverTerms) []byte {
	z := bigmod.NewNat().Exp(s.number(t.v), t.u, s.modulus)
	z.Mul(s.residue(t.a), s.modulus)
	z = bigmod.NewNat().Exp(z, t.secret, s.modulus)
	return z.Bytes(s.modulus)
}

// clientTerms are the five values from which the client computes S; power is g^x.
type clientTerms struct {
	b, u, x, secret []byte
	power           *bigmod.Nat
}

// clientSecret returns S = (B - k * g^x)^(a + u * x), padded. The exponent needs no reduction:
// it is far below N in all groups, so arithmetic modulo N gives the exact number.
func (s *suite) clientSecret(t *clientTerms) []byte {
	m := s.modulus
	exponent := s.number(t.u).Mul(s.number(t.x), m).Add(s.number(t.secret), m).Bytes(m)
	masked := s.number(t.power.Bytes(m)).Mul(s.k, m)
	base := s.residue(t.b).Sub(masked, m)
	width := len(t.u) + len(t.x) + 1
	z := bigmod.NewNat().Exp(base, exponent[len(exponent)-width:], m)
	clear(exponent)
	return z.Bytes(m)
}
