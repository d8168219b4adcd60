package srp6a

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/argon2"
)

// KDF has the parameters by which Argon2id (RFC 9106) derives x, 32 bytes long, from a
// password. Clients run it; a server runs it only to make a verifier.
type KDF struct {
	// MemoryKiB is the memory that it uses, 8 to 1,048,576 KiB and at least 8 for each lane.
	MemoryKiB uint32
	// Passes is the number of passes over the memory, 1 to 16.
	Passes uint32
	// Lanes is the number of cores that can share the work, 1 to 16.
	Lanes uint32
}

// maxRounds is the limit of Passes and Lanes.
const maxRounds = 16

// DefaultKDF returns 64 MiB, 3 passes, 1 lane. That is RFC 9106's second recommendation except
// for the lanes. Memory and passes are an attacker's cost. More lanes only shorten the
// client's wait, and a browser or a scripting language has no second thread for them. A
// desktop takes about 0.1 to 0.3 s.
func DefaultKDF() KDF { return KDF{MemoryKiB: 64 << 10, Passes: 3, Lanes: 1} }

// MinKDF returns the smallest parameters that a client accepts. With less, a malicious server
// could guess the password cheaply.
func MinKDF() KDF { return KDF{MemoryKiB: 8 << 10, Passes: 1, Lanes: 1} }

// MaxKDFWork is the largest product of MemoryKiB and Passes that a client accepts: one pass
// over 1 GiB, or sixteen over 64 MiB. That takes some seconds on a phone, and a server that
// has not proven itself can cause it at every sign-in.
const MaxKDFWork = 1 << 20

// MaxKDF returns the largest value of each parameter that a client accepts, so that a server
// that has not proven itself cannot use all of the client's memory. Not all of them may be at
// their maximum at once; see MaxKDFWork.
func MaxKDF() KDF { return KDF{MemoryKiB: 256 << 10, Passes: maxRounds, Lanes: maxRounds} }

// Validate reports every fault, with the name of its field.
func (k KDF) Validate() error {
	return k.within(KDF{MemoryKiB: 8, Passes: 1, Lanes: 1}, KDF{MemoryKiB: 1 << 20, Passes: maxRounds, Lanes: maxRounds})
}

// Acceptable returns an ErrParams if a client must refuse these parameters: they are not
// valid, are below MinKDF or above MaxKDF, or exceed MaxKDFWork.
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

// key returns x for a folded name, big-endian.
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
