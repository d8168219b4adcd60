package auth

import (
	"crypto/sha1"
	"crypto/subtle"
)

// PINGrid is the layout of the PIN pad: the digit at each of the ten places.
type PINGrid [10]byte

// NewPINGrid returns the layout for a seed, which is in the challenge. Seed 0 leaves the
// digits in order.
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

// places returns the place of each digit of a PIN on the pad, in ASCII. It searches the whole
// pad for each digit, so its time depends only on the number of digits.
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

// PINExchange has what both sides send for one entry of a PIN. Seed and ServerSalt are new for
// each connection (quirk 45).
type PINExchange struct {
	Seed       uint32   // of the pad's layout, from the challenge
	ServerSalt [16]byte // from the challenge
	ClientSalt [16]byte // from the client's proof
}

// Proof returns what the client sends for a PIN. pin is as typed: leading zeros count (quirk
// 44). It returns ErrPIN unless pin has 4 to 10 digits.
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

// Verify checks the client's proof of a stored PIN. It returns ErrFactor if the proof is
// wrong, and ErrPIN if the stored PIN is not valid.
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

// SamePIN reports whether the typed PIN equals the stored one, for protocols that send it
// sealed. It is false if the stored PIN is not valid. Its time depends only on the length of
// the stored PIN.
func SamePIN(stored, typed string) bool {
	valid := len(stored) >= 4 && len(stored) <= 10
	return valid && subtle.ConstantTimeCompare([]byte(stored), []byte(typed)) == 1
}
