package auth

import (
	"crypto/sha1"
	"crypto/subtle"
)

// PINGrid is the layout of the PIN pad: the digit shown at each of the ten places.
type PINGrid [10]byte

// NewPINGrid shuffles the pad by a seed, which stands in the challenge. Seed 0 leaves the digits in order.
func NewPINGrid(seed uint32) (g PINGrid) {
	left := [10]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	for n := uint32(10); n > 0; n-- {
		at := seed % n
		seed /= n
		g[10-n] = left[at]
		copy(left[at:], left[at+1:n])
	}
	return g
}

// places replaces each digit of a PIN by its place on the pad, in ASCII. The pad is searched to its end for each
// digit, so that the time tells only how many there are.
func (g *PINGrid) places(pin string) (b [10]byte, n int, err error) {
	if len(pin) < 4 || len(pin) > len(b) {
		return b, 0, ErrPIN
	}
	for i := range len(pin) {
		if pin[i] < '0' || pin[i] > '9' {
			return b, 0, ErrPIN
		}
		for place, digit := range g {
			same := (uint32(digit^(pin[i]-'0')) - 1) >> 31
			b[i] |= byte(-same) & ('0' + byte(place))
		}
	}
	return b, len(pin), nil
}

// PINExchange is what both sides have told each other about one entry of a PIN. Seed and ServerSalt are new for each
// connection (quirk 45).
type PINExchange struct {
	Seed       uint32   // of the pad's layout, from the challenge
	ServerSalt [16]byte // from the challenge
	ClientSalt [16]byte // from the client's proof
}

// Proof is what the client sends for a PIN, given as typed: leading zeros count (quirk 44). ErrPIN for anything but 4
// to 10 digits.
func (x *PINExchange) Proof(pin string) ([20]byte, error) {
	grid := NewPINGrid(x.Seed)
	places, n, err := grid.places(pin)
	if err != nil {
		return [20]byte{}, err
	}
	var inner [16 + 10]byte
	copy(inner[:], x.ServerSalt[:])
	copy(inner[16:], places[:n])
	hash := sha1.Sum(inner[:16+n])
	clear(inner[:])
	clear(places[:])
	var outer [16 + 20]byte
	copy(outer[:], x.ClientSalt[:])
	copy(outer[16:], hash[:])
	return sha1.Sum(outer[:]), nil
}

// Verify checks the client's proof of a stored PIN. ErrFactor when it is wrong, ErrPIN when the stored PIN is
// impossible.
func (x *PINExchange) Verify(pin string, proof *[20]byte) error {
	want, err := x.Proof(pin)
	if err != nil {
		return err
	}
	if !equal(&want, proof) {
		return ErrFactor
	}
	return nil
}

// SamePIN tells whether a PIN was typed as it is stored, for protocols that send it sealed; a stored PIN that is
// impossible fits nothing. The time tells no more than how long the stored one is.
func SamePIN(stored, typed string) bool {
	valid := len(stored) >= 4 && len(stored) <= 10
	return valid && subtle.ConstantTimeCompare([]byte(stored), []byte(typed)) == 1
}
