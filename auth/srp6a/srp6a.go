// Package srp6a proves passwords by SRP-6a in the groups of RFC 5054, with SHA-256.
package srp6a

// Group is one of the groups of RFC 5054, appendix A, by its size in bits.
type Group uint16

// The groups.
const (
	Group2048 Group = 2048
	Group3072 Group = 3072
	Group4096 Group = 4096
)

// KDF says how x is made of a password: Argon2id (RFC 9106), 32 bytes long.
type KDF struct {
	// MemoryKiB, Passes and Lanes are the function's own; see Valid for their ranges.
	MemoryKiB, Passes, Lanes uint32
}

// Verifier is what is kept instead of a password.
type Verifier struct {
	Group Group
	KDF   KDF
	Salt  [32]byte
	// V is as long as the group's prime, big-endian.
	V []byte
}

// Server is the server's half of one exchange.
type Server struct {
	// Name is the folded account name.
	Name     string
	Verifier Verifier
	// B is as long as the group's prime; set by Challenge.
	B      []byte
	secret [32]byte
}
