package auth

import (
	"crypto/sha256"

	"gatepass/auth/srp6"
)

// Labels keep the two values that are drawn for one name apart.
const (
	labelSalt     = 1
	labelPassword = 2
)

// longestName is the longest name a message can carry; its length is one byte.
const longestName = 255

// FakeCredentials makes up the account of a name that has none, so that a stranger cannot tell: the same salt each
// time, and a verifier to which nobody has the password. Both are made as a real account's are, by srp6.NewSalt and
// srp6.NewVerifierFromHash, so they are distributed alike. secret is the server's own; whoever knows it can tell.
// Case is folded, as it is for real names. Any goroutine; no allocations; about 2 µs.
func FakeCredentials(secret [32]byte, name []byte) (srp6.Salt, srp6.Verifier) {
	raw, hidden := derive(&secret, labelSalt, name), derive(&secret, labelPassword, name)
	salt := srp6.NewSalt(&raw)
	return salt, srp6.NewVerifierFromHash(&salt, (*[20]byte)(hidden[:20]))
}

// derive is HMAC-SHA256 of a label and the folded name. Written out because crypto/hmac allocates, and a flood of
// made-up names should leave no garbage.
func derive(secret *[32]byte, label byte, name []byte) [32]byte {
	const block = sha256.BlockSize
	var inner [block + 1 + longestName]byte
	var outer [block + sha256.Size]byte
	for i := range block {
		inner[i], outer[i] = 0x36, 0x5c
	}
	for i, b := range secret {
		inner[i] ^= b
		outer[i] ^= b
	}
	inner[block] = label
	n := copy(inner[block+1:], name)
	fold(inner[block+1 : block+1+n])
	hash := sha256.Sum256(inner[:block+1+n])
	copy(outer[block:], hash[:])
	return sha256.Sum256(outer[:])
}

// fold changes a–z to A–Z in place.
func fold(name []byte) {
	for i, c := range name {
		if 'a' <= c && c <= 'z' {
			name[i] = c - 'a' + 'A'
		}
	}
}
