package auth

import (
	"encoding/binary"
	"math/bits"

	"gatepass/auth/srp6a"
	"golang.org/x/crypto/chacha20"
)

// Weighted has the params of some made-up accounts. They are used Weight times as often as
// params with a weight of one.
type Weighted struct {
	Params srp6a.Params
	Weight int
}

// labelNative makes the values for a native account different from those of FakeCredentials.
const labelNative = 3

// FakeNative returns a native verifier for a name without an account, so that a client cannot
// tell that the account does not exist. The result is the same each time, and nobody has a
// password for it. Its params are chosen from params by weight. The weights should match those
// of real accounts; when they change, some names get other params. At least one weight must be
// above 0, and none below 0.
//
// The result is derived from the HMAC of the folded name under the server's secret, expanded
// by ChaCha20. Any goroutine; about 5 µs in the group of 2048 bits.
func FakeNative(secret [32]byte, name []byte, params []Weighted) srp6a.Verifier {
	seed := derive(&secret, labelNative, name)
	defer clear(seed[:])
	stream, err := chacha20.NewUnauthenticatedCipher(seed[:], make([]byte, chacha20.NonceSize))
	if err != nil {
		panic("auth: " + err.Error())
	}
	var chance [8]byte
	var salt [32]byte
	stream.XORKeyStream(chance[:], chance[:])
	stream.XORKeyStream(salt[:], salt[:])
	p := pick(binary.LittleEndian.Uint64(chance[:]), params)
	random := make([]byte, srp6a.DecoySize(p.Group))
	stream.XORKeyStream(random, random)
	return srp6a.Decoy(p, &salt, random)
}

// pick returns one of params, chosen by weight. chance is a uniform 64-bit number.
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
