package storage

import "errors"

// MaxName is the length of the longest account name in bytes. Clients of the grunt
// protocol send no longer names.
const MaxName = 16

// ErrName: a string is not an account name; the text says what names may be.
var ErrName = errors.New("storage: a name has 1 to 16 printable ASCII characters, no colon, no space at either end")

// Name is a case-folded account name, zero padded. Only FoldName returns one, so two
// spellings of a name are the same account.
type Name [MaxName]byte

// FoldName returns a name folded as the clients do, ASCII a–z to A–Z, or ErrName. Names
// are folded nowhere else.
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

// Bytes returns the name without its padding; it aliases n.
func (n *Name) Bytes() []byte {
	for i, c := range n {
		if c == 0 {
			return n[:i]
		}
	}
	return n[:]
}

func (n Name) String() string { return string(n.Bytes()) }
