package storage

import "errors"

// MaxName is the longest account name in bytes; the grunt protocol's clients
// send no longer one.
const MaxName = 16

// ErrName says what names may be.
var ErrName = errors.New("storage: a name has 1 to 16 printable ASCII characters, no colon, no space at either end")

// Name is a case-folded account name, zero padded. Only FoldName makes one, so
// that two spellings of a name are one account.
type Name [MaxName]byte

// FoldName checks a name and folds its case as the clients do: ASCII a–z become
// A–Z. It is the only place where names are folded.
func FoldName[T ~string | ~[]byte](raw T) (Name, error) {
	var n Name
	if len(raw) == 0 || len(raw) > MaxName || raw[0] == ' ' || raw[len(raw)-1] == ' ' {
		return n, ErrName
	}
	for i := range len(raw) {
		c := raw[i]
		switch {
		case 'a' <= c && c <= 'z':
			c -= 'a' - 'A'
		case c < ' ' || c > '~' || c == ':':
			return Name{}, ErrName
		}
		n[i] = c
	}
	return n, nil
}

// Bytes is the name without its padding; it aliases n.
func (n *Name) Bytes() []byte {
	for i, c := range n {
		if c == 0 {
			return n[:i]
		}
	}
	return n[:]
}

func (n Name) String() string { return string(n.Bytes()) }
