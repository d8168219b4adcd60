package srp6a

import "fmt"

// Known is the x of a password for one salt and params. With it there is no need to run the
// KDF. It is as secret as the password. Accounts may share one; their messages still differ,
// because their names do. It prints as a fixed word.
type Known struct {
	Params
	Salt [32]byte
	// X is the KDF's output, big-endian.
	X [32]byte
}

// Verifier returns the verifier for this x. The params must be valid.
func (k *Known) Verifier() Verifier {
	if err := k.Params.Validate(); err != nil {
		panic("srp6a: " + err.Error())
	}
	q := k.Group.suite()
	return Verifier{Group: k.Group, KDF: k.KDF, Salt: k.Salt, V: q.powers.raise(k.X[:]).Bytes(q.modulus)}
}

// Identity returns an Identity that has this x for its salt and params. It has no password for
// other ones.
func (k *Known) Identity(name string) *Identity {
	i := NewIdentity(name, "")
	i.x, i.salt, i.params, i.known = k.X, k.Salt, k.Params, true
	i.power = k.Group.suite().powers.raise(i.x[:])
	return i
}

// String names the type; it never shows x.
func (k Known) String() string { return "known" }

// Format keeps every verb from showing x.
func (k Known) Format(s fmt.State, _ rune) { hidden(s, k.String()) }

// MarshalText keeps encoders that look for it from showing x.
func (k Known) MarshalText() ([]byte, error) { return []byte(k.String()), nil }
