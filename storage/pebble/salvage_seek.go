package pebble

import "math/big"

// nextReadable looks behind the key last for one from which a table can be read
// again; nil if there is none. readable says whether it can be read from a key on.
// Keys are taken for fractions: first the space behind last is tried in steps, then
// the step in which it becomes readable is halved again and again, so that little is
// passed over that could be read.
func nextReadable(last []byte, readable func(key []byte) bool) []byte {
	low, end := fraction(last), fraction([]byte{prefixMeta + 1})
	step := new(big.Int).Sub(end, low)
	step.Rsh(step, seekStepBits)
	high := new(big.Int).Set(low)
	for {
		if high.Add(high, step); high.Cmp(end) >= 0 || step.Sign() <= 0 {
			return nil
		}
		if readable(high.FillBytes(make([]byte, seekBytes))) {
			break
		}
		low.Set(high)
	}
	for range 8 * seekBytes {
		middle := new(big.Int).Add(low, high)
		if middle.Rsh(middle, 1); middle.Cmp(low) == 0 {
			break
		}
		if readable(middle.FillBytes(make([]byte, seekBytes))) {
			high = middle
		} else {
			low = middle
		}
	}
	return high.FillBytes(make([]byte, seekBytes))
}

const (
	// seekBytes is how much of a key is told apart: all of the longest and more.
	seekBytes = maxKey + 6
	// seekStepBits: the space behind a key is tried in so many halvings.
	seekStepBits = 12
)

// fraction is a key as a number.
func fraction(key []byte) *big.Int {
	padded := make([]byte, seekBytes)
	copy(padded, key)
	return new(big.Int).SetBytes(padded)
}
