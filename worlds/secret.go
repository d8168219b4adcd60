package worlds

import "log/slog"

// SecretMax is the longest key that can move, in bytes.
const SecretMax = 64

// Secret is a key that has one owner at a time. It prints no key bytes; only Bytes
// returns them.
type Secret struct {
	b [SecretMax]byte
	n uint8
}

// NewSecret copies b. It panics if b is longer than SecretMax bytes, which is a bug.
func NewSecret(b []byte) (s Secret) {
	if len(b) > SecretMax {
		panic("worlds: key too long")
	}
	s.n = uint8(copy(s.b[:], b))
	return s
}

// Bytes returns the key. The slice aliases s.
func (s *Secret) Bytes() []byte { return s.b[:s.n] }

// Empty reports whether there is no key.
func (s *Secret) Empty() bool { return s.n == 0 }

// Wipe overwrites the key.
func (s *Secret) Wipe() { *s = Secret{} }

func (Secret) String() string               { return "[secret]" }
func (Secret) GoString() string             { return "[secret]" }
func (Secret) LogValue() slog.Value         { return slog.StringValue("[secret]") }
func (Secret) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }
