package storage

// Decoys is what the made-up accounts of unknown names are derived from, together with
// the name. Who knows it can tell which names have no account, so it prints no secret.
type Decoys struct {
	// Secret is the region's, valid only where Shared is set. A store outside a region
	// uses Store.Secret.
	Secret [32]byte
	// Shared: Secret is that of a region, the same at all of its login servers.
	Shared bool
	// Salts describes the salts of the store's accounts.
	Salts SaltShape
}

// String names the type; it never shows the secret.
func (d Decoys) String() string { return "decoys" }

// SaltShape is what the grunt protocol's salts show of the program that made them. The
// mangos family, and this project, make numbers whose highest and lowest bits are
// always set; TrinityCore and AzerothCore use any 32 bytes.
type SaltShape struct {
	// Marked is how many of 256 salts have both bits set on purpose.
	Marked uint16
	// ZeroTop: there are salts whose top byte is zero.
	ZeroTop bool
}

// AllMarked is SaltShape.Marked where all salts are marked.
const AllMarked = 256

// SaltCount counts what the salts of a sample of accounts look like. The zero value is
// an empty sample.
type SaltCount struct {
	salts, both int
	zeroTop     bool
}

// Add counts one account's salt; an account without one is not counted.
func (s *SaltCount) Add(v *GruntVerifier) {
	if !v.Set {
		return
	}
	s.salts++
	if v.Salt[31]&0x80 != 0 && v.Salt[0]&1 != 0 {
		s.both++
	}
	s.zeroTop = s.zeroTop || v.Salt[31] == 0
}

// Shape estimates the shape. It subtracts the salts that have both bits set by chance,
// a quarter of those that are any 32 bytes. Of an empty sample it is the shape of this
// project's own salts.
func (s *SaltCount) Shape() SaltShape {
	if s.salts == s.both {
		return SaltShape{Marked: AllMarked}
	}
	marked := max(0, (4*s.both-s.salts)*AllMarked/(3*s.salts))
	return SaltShape{Marked: uint16(min(marked, AllMarked-1)), ZeroTop: s.zeroTop}
}
