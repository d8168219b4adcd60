package auth

import (
	"crypto/hmac"
	"crypto/sha256"

	"gatepass/auth/srp6"
)

// The labels make the two values that are derived from one name different.
const (
	labelSalt     = 1
	labelPassword = 2
)

// longestName is the length of the longest name that a message can hold; its length field is
// one byte.
const longestName = 255

// Decoys has the data, besides a name, from which made-up accounts are derived.
type Decoys struct {
	// Secret is the secret of the server or its region. With it, made-up accounts can be
	// distinguished from real ones.
	Secret [32]byte
	// Marked is the number of real salts, of 256, that have their highest and lowest bits set
	// on purpose. The others are any bytes.
	Marked uint16
	// ZeroTop says that the top byte of a real salt can be zero.
	ZeroTop bool
}

// String names the type; it never shows the secret.
func (Decoys) String() string { return "decoys" }

// RegionDecoys returns the Secret for all login servers of a region, derived from a key that
// they share. Any goroutine.
func RegionDecoys(key []byte) (secret [32]byte) {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("gatepass made-up accounts"))
	mac.Sum(secret[:0])
	return secret
}

// FakeCredentials returns salt and verifier for a name without an account, so that a client
// cannot tell that the account does not exist. The salt is the same each time, and nobody has
// a password for the verifier. Salts have the forms of real ones, with the frequencies in d.
// Case is folded, as for real names. Any goroutine; no allocations; about 2 µs.
func FakeCredentials(d *Decoys, name []byte) (srp6.Salt, srp6.Verifier) {
	raw, hidden := derive(&d.Secret, labelSalt, name), derive(&d.Secret, labelPassword, name)
	salt := srp6.Salt(raw)
	switch {
	case uint16(hidden[20]) < d.Marked: // a byte that is used neither for the salt nor for the verifier
		salt = srp6.NewSalt(&raw)
	case salt[31] == 0 && !d.ZeroTop:
		salt[31] = 1
	}
	return salt, srp6.NewVerifierFromHash(&salt, (*[20]byte)(hidden[:20]))
}

// derive returns the HMAC-SHA256 of a label and the folded name. It does not use crypto/hmac,
// which allocates: a flood of made-up names should cause no garbage.
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
