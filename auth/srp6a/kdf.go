package srp6a

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/argon2"
)

// KDF says how x is made of a password: Argon2id (RFC 9106), 32 bytes long. Clients
// run it, a server only when it makes a verifier.
type KDF struct {
	// MemoryKiB is the memory it fills, 8 to 1,048,576 KiB and at least 8 for each lane.
	MemoryKiB uint32
	// Passes is how often it goes over the memory, 1 to 16.
	Passes uint32
	// Lanes is how many cores can share the work, 1 to 16.
	Lanes uint32
}

// maxRounds bounds Passes and Lanes.
const maxRounds = 16

// DefaultKDF is 64 MiB, 3 passes, 1 lane. That is RFC 9106's second recommendation but
// for the lanes: memory and passes are what an attacker pays for, more lanes make only
// the client's wait shorter, and in a browser or a scripting language there is no second
// thread to run them. A desktop takes about 0.1 to 0.3 s.
func DefaultKDF() KDF { return KDF{MemoryKiB: 64 << 10, Passes: 3, Lanes: 1} }

// MinKDF is the least that a client works with: a server that asks for less wants to
// make guessing cheap.
func MinKDF() KDF { return KDF{MemoryKiB: 8 << 10, Passes: 1, Lanes: 1} }

// MaxKDFWork is the most of MemoryKiB times Passes that a client works with: 1 GiB
// once, or 64 MiB sixteen times. That is some seconds of a phone, which a server that
// has not proven itself may take at every sign-in.
const MaxKDFWork = 1 << 20

// MaxKDF is the most of each figure that a client works with: before it has proven
// itself, a server may not take all its memory. Not of all at once; see MaxKDFWork.
func MaxKDF() KDF { return KDF{MemoryKiB: 256 << 10, Passes: maxRounds, Lanes: maxRounds} }

// Validate reports every fault, by the name of its field.
func (k KDF) Validate() error {
	return k.within(KDF{MemoryKiB: 8, Passes: 1, Lanes: 1}, KDF{MemoryKiB: 1 << 20, Passes: maxRounds, Lanes: maxRounds})
}

// Acceptable reports what keeps clients from working with this, as ErrParams: it is not
// valid, outside of MinKDF and MaxKDF, or more than MaxKDFWork.
func (k KDF) Acceptable() error {
	err := k.within(MinKDF(), MaxKDF())
	if work := uint64(k.MemoryKiB) * uint64(k.Passes); err == nil && work > MaxKDFWork {
		err = fmt.Errorf("kdf memory (KiB) times passes is %d, must be at most %d", work, MaxKDFWork)
	}
	if err != nil {
		return fmt.Errorf("%w: %v", ErrParams, err)
	}
	return nil
}

func (k KDF) within(low, high KDF) error {
	var faults []error
	check := func(name string, value, low, high uint32) {
		if value < low || value > high {
			faults = append(faults, fmt.Errorf("kdf %s is %d, must be %d to %d", name, value, low, high))
		}
	}
	check("memory (KiB)", k.MemoryKiB, low.MemoryKiB, high.MemoryKiB)
	check("passes", k.Passes, low.Passes, high.Passes)
	check("lanes", k.Lanes, low.Lanes, high.Lanes)
	if k.Lanes <= maxRounds && k.MemoryKiB < 8*k.Lanes {
		faults = append(faults, fmt.Errorf("kdf memory (KiB) is %d, must be at least 8 for each of %d lanes", k.MemoryKiB, k.Lanes))
	}
	return errors.Join(faults...)
}

// key is x for a folded name, big-endian.
func (k KDF) key(salt *[32]byte, name, password string) [32]byte {
	message := make([]byte, 0, len(name)+1+len(password))
	message = append(append(append(message, name...), ':'), password...)
	x := argon2.IDKey(message, salt[:], k.Passes, k.MemoryKiB, uint8(k.Lanes), 32)
	clear(message)
	defer clear(x)
	return [32]byte(x)
}

// fold changes a-z to A-Z.
func fold(name string) string {
	b := []byte(name)
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}
