package auth

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"

	"gatepass/auth/srp6a"
)

// Weighted says that made-up accounts have these params Weight times as often as those
// with a weight of one.
type Weighted struct {
	Params srp6a.Params
	Weight int
}

// labelNative keeps what is drawn for a native account apart from FakeCredentials'.
const labelNative = 3

// FakeNative makes up the native verifier of a name that has none, so that a stranger
// cannot tell: the same each time, with the params of params by their weights, and of
// which nobody has the password. params should be weighted as those of real accounts
// are; when they change, some names get others. At least one weight must be above 0, and
// none below.
//
// Case is folded. Any goroutine; about 3 µs.
func FakeNative(secret [32]byte, name []byte, params []Weighted) srp6a.Verifier {
	seed := derive(&secret, labelNative, name)
	defer clear(seed[:])
	p := pick(binary.LittleEndian.Uint64(expand(&seed, "params", 8)), params)
	salt := [32]byte(expand(&seed, "salt", 32))
	return srp6a.Decoy(p, &salt, expand(&seed, "verifier", srp6a.DecoySize(p.Group)))
}

// pick chooses by weight; chance is a uniform 64-bit number.
func pick(chance uint64, params []Weighted) srp6a.Params {
	total := uint64(0)
	for _, w := range params {
		total += uint64(w.Weight)
	}
	at, _ := bits.Mul64(chance, total) // below total
	for _, w := range params {
		if at < uint64(w.Weight) {
			return w.Params
		}
		at -= uint64(w.Weight)
	}
	panic("auth: no params with a weight")
}

// expand is HKDF-Expand of a seed that is uniform already.
func expand(seed *[32]byte, info string, size int) []byte {
	b, err := hkdf.Expand(sha256.New, seed[:], info, size)
	if err != nil {
		panic("auth: " + err.Error())
	}
	return b
}
