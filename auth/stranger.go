package auth

import (
	"crypto/hmac"
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

// Decoys is what made-up accounts are drawn from, beside a name.
type Decoys struct {
	// Secret is the server's, or its region's; whoever knows it can tell made-up accounts from real ones.
	Secret [32]byte
	// Marked is how many of 256 real salts have their highest and lowest bits set on purpose; the others are any bytes.
	Marked uint16
	// ZeroTop: real salts can have a zero as their top byte.
	ZeroTop bool
}

// String names the type; it never shows the secret.
func (Decoys) String() string { return "decoys" }

// RegionDecoys is the Secret that all login servers of a region draw from, made of a key that they share. Any goroutine.
func RegionDecoys(key []byte) (secret [32]byte) {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("gatepass made-up accounts"))
	mac.Sum(secret[:0])
	return secret
}

// FakeCredentials makes up the account of a name that has none, so that a stranger cannot tell: the same salt each
// time, and a verifier to which nobody has the password. Salts look as real ones do, in the shares that d says.
// Case is folded, as it is for real names. Any goroutine; no allocations; about 2 µs.
func FakeCredentials(d *Decoys, name []byte) (srp6.Salt, srp6.Verifier) {
	raw, hidden := derive(&d.Secret, labelSalt, name), derive(&d.Secret, labelPassword, name)
	salt := srp6.Salt(raw)
	switch {
	case uint16(hidden[20]) < d.Marked: // a byte that neither the salt nor the verifier is made of
		salt = srp6.NewSalt(&raw)
	case salt[31] == 0 && !d.ZeroTop:
		salt[31] = 1
	}
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
