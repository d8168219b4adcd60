package srp6

import (
	"bytes"
	"crypto/sha1"
)

// Upper folds the case of a name or password as the protocol needs it: a–z become A–Z, and
// every other byte stays. It changes only ASCII, because real clients disagree about other
// characters.
func Upper(s string) string {
	for i := range len(s) {
		if upper(s[i]) != s[i] {
			return string(appendUpper(nil, []byte(s)))
		}
	}
	return s
}

func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

func appendUpper(b, s []byte) []byte {
	for _, c := range s {
		b = append(b, upper(c))
	}
	return b
}

// passwordHash returns H(U ":" P), which databases of the mangos family call sha_pass_hash.
func passwordHash(name, password string) [20]byte {
	var buffer [64]byte
	b := appendUpper(buffer[:0], []byte(name))
	b = append(b, ':')
	b = appendUpper(b, []byte(password))
	h := sha1.Sum(b)
	clear(b)
	return h
}

// privateKey returns x, the exponent of the verifier: H(salt H(U ":" P)).
func privateKey(salt *Salt, h *[20]byte) [20]byte {
	var b [52]byte
	copy(b[:], salt[:])
	copy(b[32:], h[:])
	x := sha1.Sum(b[:])
	clear(b[32:])
	return x
}

// scrambler returns u = H(A B), which binds the exchange to both public keys. u is public, as
// they are.
func scrambler(a, b *PublicKey) [20]byte {
	var keys [64]byte
	copy(keys[:], a[:])
	copy(keys[32:], b[:])
	return sha1.Sum(keys[:])
}

// interleave computes K from S by the rule of RFC 2945 on the little-endian bytes. It drops
// leading zeros, and one more byte if that leaves an odd number. Then it hashes the bytes at
// even and at odd places separately and interleaves the two digests.
//
// The time depends on the number of leading zeros of S. There are none in 255 of 256 logins, S
// is never used again, and the number says nothing about the verifier or the secret exponent.
func interleave(s *[32]byte) (k SessionKey) {
	skip := len(s) - len(bytes.TrimLeft(s[:], "\x00"))
	skip += skip & 1
	var halves [2][16]byte
	n := 0
	for i := skip; i < len(s); i += 2 {
		halves[0][n], halves[1][n] = s[i], s[i+1]
		n++
	}
	even, odd := sha1.Sum(halves[0][:n]), sha1.Sum(halves[1][:n])
	for i := range even {
		k[2*i], k[2*i+1] = even[i], odd[i]
	}
	clear(halves[:])
	clear(even[:])
	clear(odd[:])
	return k
}

// transcript has the values besides K on which both sides must agree for M1.
type transcript struct {
	user [20]byte // H(U)
	salt *Salt
	a, b *PublicKey
}

// clientProof returns M1 = H( H(N) xor H(g), H(U), salt, A, B, K ).
func (t *transcript) clientProof(k *SessionKey) Proof {
	var b [20 + 20 + 32 + 32 + 32 + 40]byte
	group := groupHash()
	copy(b[0:], group[:])
	copy(b[20:], t.user[:])
	copy(b[40:], t.salt[:])
	copy(b[72:], t.a[:])
	copy(b[104:], t.b[:])
	copy(b[136:], k[:])
	m := sha1.Sum(b[:])
	clear(b[136:])
	return m
}

// serverProof returns M2 = H(A M1 K).
func serverProof(a *PublicKey, m1 *Proof, k *SessionKey) Proof {
	var b [32 + 20 + 40]byte
	copy(b[0:], a[:])
	copy(b[32:], m1[:])
	copy(b[52:], k[:])
	m := sha1.Sum(b[:])
	clear(b[52:])
	return m
}
