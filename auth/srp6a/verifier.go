package srp6a

import (
	"encoding/binary"
	"fmt"

	"filippo.io/bigmod"
)

// Verifier is what a server stores instead of a password. It prints as a fixed word.
type Verifier struct {
	Group Group
	KDF   KDF
	Salt  [32]byte
	// V is g^x mod N, as long as N, big-endian.
	V []byte
}

// verifierVersion is the first byte of every stored verifier.
const verifierVersion = 1

// verifierHeader is the length of the fields before V.
const verifierHeader = 1 + 2 + 4 + 1 + 1 + 32

// NewVerifier returns the verifier of a name and a password. It folds the case of the name but
// not of the password. salt is 32 random bytes. It runs the KDF with the time and memory that
// the params say. The params must be valid. Any goroutine.
func NewVerifier(p Params, salt *[32]byte, name, password string) Verifier {
	if err := p.Validate(); err != nil {
		panic("srp6a: " + err.Error())
	}
	q := p.Group.suite()
	x := p.KDF.key(salt, fold(name), password)
	v := q.powers.raise(x[:]).Bytes(q.modulus)
	clear(x[:])
	return Verifier{Group: p.Group, KDF: p.KDF, Salt: *salt, V: v}
}

// Params returns the verifier's params.
func (v *Verifier) Params() Params { return Params{Group: v.Group, KDF: v.KDF} }

// Append appends the stored form of the verifier; see the package comment.
func (v *Verifier) Append(b []byte) []byte {
	b = append(b, verifierVersion)
	b = binary.LittleEndian.AppendUint16(b, uint16(v.Group))
	b = binary.LittleEndian.AppendUint32(b, v.KDF.MemoryKiB)
	b = append(b, byte(v.KDF.Passes), byte(v.KDF.Lanes))
	b = append(b, v.Salt[:]...)
	return append(b, v.V...)
}

// ParseVerifier reads the output of Append. It does not alias b. It returns ErrVerifier,
// wrapped with the reason, if b is incomplete or no password can have this verifier.
func ParseVerifier(b []byte) (Verifier, error) {
	if len(b) < verifierHeader {
		return Verifier{}, fmt.Errorf("%w: it is cut short", ErrVerifier)
	}
	if b[0] != verifierVersion {
		return Verifier{}, fmt.Errorf("%w: its version is %d, known is %d", ErrVerifier, b[0], verifierVersion)
	}
	v := Verifier{
		Group: Group(binary.LittleEndian.Uint16(b[1:])),
		KDF:   KDF{MemoryKiB: binary.LittleEndian.Uint32(b[3:]), Passes: uint32(b[7]), Lanes: uint32(b[8])},
		Salt:  [32]byte(b[9:]),
	}
	if err := v.Params().Validate(); err != nil {
		return Verifier{}, fmt.Errorf("%w: %v", ErrVerifier, err)
	}
	if !v.Group.suite().isVerifier(b[verifierHeader:]) {
		return Verifier{}, fmt.Errorf("%w: V is not a number of the group", ErrVerifier)
	}
	v.V = append([]byte(nil), b[verifierHeader:]...)
	return v, nil
}

// uniformLead is the number of random bytes, in addition to the length of N, for a number
// below N. With them the reduction favours no number by more than 2^-128.
const uniformLead = 16

// DecoySize returns the number of random bytes that Decoy needs for a group.
func DecoySize(g Group) int { return g.Size() + uniformLead }

// Decoy returns a verifier for which nobody has the password, made of a salt and DecoySize
// uniform bytes. It does no exponentiation. The params must be valid. Any goroutine.
//
// V is a uniform number below N, not a power of g. This cannot be detected: a server only
// shows B = kv + g^b, and g^b hides v.
func Decoy(p Params, salt *[32]byte, random []byte) Verifier {
	if p.Validate() != nil || len(random) != DecoySize(p.Group) {
		panic("srp6a: decoy of invalid params or of the wrong size")
	}
	q := p.Group.suite()
	return Verifier{Group: p.Group, KDF: p.KDF, Salt: *salt, V: q.uniform(random).Bytes(q.modulus)}
}

// isVerifier reports whether v has the length of N and is in 2 ... N-2. With 0, 1 and N-1
// anyone could compute S.
func (s *suite) isVerifier(v []byte) bool {
	if len(v) != s.size() {
		return false
	}
	x, err := bigmod.NewNat().SetBytes(v, s.modulus)
	return err == nil && x.IsZero()|x.IsOne()|x.IsMinusOne(s.modulus) == 0
}

// String names the type; it never shows the verifier, from which a weak password could
// be guessed.
func (v Verifier) String() string { return "verifier" }

// Format keeps every verb from showing the verifier.
func (v Verifier) Format(s fmt.State, _ rune) { hidden(s, v.String()) }

// MarshalText keeps encoders that look for it (structured logs, JSON) from showing it.
func (v Verifier) MarshalText() ([]byte, error) { return []byte(v.String()), nil }
