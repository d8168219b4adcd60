package srp6a

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"sync"
)

// Group is one of the groups of RFC 5054, appendix A. Its value is the size in bits.
type Group uint16

// The groups.
const (
	// Group2048 is the default. It is about as strong as a 112-bit key.
	Group2048 Group = 2048
	// Group3072 costs the server about six times as much as Group2048. It is about as strong
	// as 128 bits.
	Group3072 Group = 3072
	// Group4096 costs the server about ten times as much as Group2048. It is about as strong
	// as 150 bits.
	Group4096 Group = 4096
)

// MaxSize is the size of the largest group's numbers, in bytes.
const MaxSize = 4096 / 8

// ParseGroup returns the group of that many bits. The error lists the existing groups.
func ParseGroup(bits int) (Group, error) {
	if g := Group(bits); int(g) == bits && g.Valid() {
		return g, nil
	}
	return 0, fmt.Errorf("srp6a: no group has %d bits; there are 2048, 3072 and 4096", bits)
}

// Valid reports whether there is such a group.
func (g Group) Valid() bool { return g == Group2048 || g == Group3072 || g == Group4096 }

// Size returns the length of N in bytes, which is also that of V, A, B and S.
func (g Group) Size() int { return int(g) / 8 }

// String returns the number of bits.
func (g Group) String() string { return strconv.Itoa(int(g)) }

// The suites are made at their first use, which takes a few milliseconds each, and are only
// read afterwards.
var (
	suite2048 = sync.OnceValue(func() *suite { return newSuite(sha256.New, prime2048, 2) })
	suite3072 = sync.OnceValue(func() *suite { return newSuite(sha256.New, prime3072, 5) })
	suite4096 = sync.OnceValue(func() *suite { return newSuite(sha256.New, prime4096, 5) })
)

// suite returns the group's arithmetic. It panics for an unknown group, because callers must
// validate before.
func (g Group) suite() *suite {
	switch g {
	case Group2048:
		return suite2048()
	case Group3072:
		return suite3072()
	case Group4096:
		return suite4096()
	}
	panic("srp6a: unknown group")
}

// Prepare makes the group's tables, so that the group's first use does not have to. It takes a
// few milliseconds. A server calls it at its start. Any goroutine.
func (g Group) Prepare() { g.suite() }
