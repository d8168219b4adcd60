package process

import (
	"crypto/rand"
	"encoding/binary"
)

// NewIncarnation returns a random number, never 0, that tells one start of a process from
// every other.
func NewIncarnation() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:]) | 1
}
