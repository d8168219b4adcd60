package auth

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rc4"
	"crypto/sha1"
	"encoding/binary"

	"gatepass/auth/srp6"
)

// MatrixChallenge says which cells of a printed card a client is asked for, as the challenge message carries it.
type MatrixChallenge struct {
	Width  uint8  // columns of the card
	Height uint8  // rows of the card
	Digits uint8  // digits in one cell
	Count  uint8  // cells asked for
	Seed   uint64 // chooses them; new for each connection
}

// MatrixCell is a place on the card, both counted from 0 at the top left.
type MatrixCell struct{ X, Y uint8 }

// Cells lists the cells in the order asked. ErrMatrix when the card does not have as many.
func (c *MatrixChallenge) Cells() ([]MatrixCell, error) {
	total := int(c.Width) * int(c.Height)
	if c.Digits == 0 || c.Count == 0 || int(c.Count) > total {
		return nil, ErrMatrix
	}
	left := make([]int, total)
	for i := range left {
		left[i] = i
	}
	cells, seed := make([]MatrixCell, c.Count), c.Seed
	for i := range cells {
		n := uint64(len(left))
		at := seed % n
		seed /= n
		cell := left[at]
		left = append(left[:at], left[at+1:]...)
		cells[i] = MatrixCell{X: uint8(cell % int(c.Width)), Y: uint8(cell / int(c.Width))}
	}
	return cells, nil
}

// Answer picks from a card the digits (values 0–9) that its owner would enter. The card holds its digits row by row.
// ErrMatrix when it has another size than the challenge says.
func (c *MatrixChallenge) Answer(card []byte) ([]byte, error) {
	cells, err := c.Cells()
	if err != nil || len(card) != int(c.Width)*int(c.Height)*int(c.Digits) {
		return nil, ErrMatrix
	}
	width := int(c.Digits)
	digits := make([]byte, 0, len(cells)*width)
	for _, cell := range cells {
		at := (int(cell.Y)*int(c.Width) + int(cell.X)) * width
		digits = append(digits, card[at:at+width]...)
	}
	return digits, nil
}

// Verify checks the client's proof against a stored card and the session key of this login. ErrFactor when it is
// wrong, ErrMatrix when card and challenge do not fit each other.
func (c *MatrixChallenge) Verify(card []byte, k *srp6.SessionKey, proof *[20]byte) error {
	digits, err := c.Answer(card)
	if err != nil {
		return err
	}
	want := MatrixProof(c.Seed, k, digits)
	clear(digits)
	if !equal(&want, proof) {
		return ErrFactor
	}
	return nil
}

// MatrixProof is what the client sends for the digits it was asked for: MD5, RC4 and HMAC-SHA1, as the clients have
// it built in.
func MatrixProof(seed uint64, k *srp6.SessionKey, digits []byte) (proof [20]byte) {
	var b [8 + 40]byte
	binary.LittleEndian.PutUint64(b[:], seed)
	copy(b[8:], k[:])
	key := md5.Sum(b[:])
	clear(b[:])
	cipher, err := rc4.NewCipher(key[:])
	if err != nil {
		panic("auth: RC4 refuses a 16-byte key: " + err.Error())
	}
	hidden := make([]byte, len(digits))
	cipher.XORKeyStream(hidden, digits)
	mac := hmac.New(sha1.New, key[:])
	mac.Write(hidden)
	mac.Sum(proof[:0])
	clear(key[:])
	return proof
}
