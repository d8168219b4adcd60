package worlds

import "log/slog"

// SecretMax is the longest key that moves, in bytes.
const SecretMax = 64

// Secret is a key that lives in one place and moves. It shows itself to nobody:
// whoever needs the bytes says so.
type Secret struct {
	b [SecretMax]byte
	n uint8
}

// NewSecret copies b, at most SecretMax bytes; longer is a bug and panics.
func NewSecret(b []byte) (s Secret) {
	if len(b) > SecretMax {
		panic("worlds: key too long")
	}
	s.n = uint8(copy(s.b[:], b))
	return s
}

// Bytes aliases s.
func (s *Secret) Bytes() []byte { return s.b[:s.n] }

// Empty tells whether there is no key.
func (s *Secret) Empty() bool { return s.n == 0 }

// Wipe overwrites the key.
func (s *Secret) Wipe() { *s = Secret{} }

func (Secret) String() string               { return "[secret]" }
func (Secret) GoString() string             { return "[secret]" }
func (Secret) LogValue() slog.Value         { return slog.StringValue("[secret]") }
func (Secret) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }
