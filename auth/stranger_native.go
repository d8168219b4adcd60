package auth

import (
	"encoding/binary"
	"math/bits"

	"gatepass/auth/srp6a"
	"golang.org/x/crypto/chacha20"
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
// All of it is HMAC of the folded name under the server's secret, drawn out by ChaCha20. Any goroutine; about 5 µs in
// the group of 2048 bits.
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
