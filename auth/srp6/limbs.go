package srp6

import (
	"encoding/binary"
	"math/bits"
)

// limbs is a 256-bit number, least significant limb first. Inside the package it is a residue
// modulo N, either plain or in Montgomery form, as the name of the variable or the comment on
// its field says. A residue may be any of the (at most two) 256-bit numbers that represent it;
// reduce makes it the one below N.
//
// The functions in this file take the same time for all values.
type limbs [4]uint64

// limbsOf returns the number that b has in wire order.
func limbsOf(b *[32]byte) limbs {
	return limbs{
		binary.LittleEndian.Uint64(b[0:]),
		binary.LittleEndian.Uint64(b[8:]),
		binary.LittleEndian.Uint64(b[16:]),
		binary.LittleEndian.Uint64(b[24:]),
	}
}

// bytes returns the number in wire order.
func (x *limbs) bytes() (b [32]byte) {
	binary.LittleEndian.PutUint64(b[0:], x[0])
	binary.LittleEndian.PutUint64(b[8:], x[1])
	binary.LittleEndian.PutUint64(b[16:], x[2])
	binary.LittleEndian.PutUint64(b[24:], x[3])
	return b
}

// isZero returns 1 if all 256 bits are zero, and 0 otherwise.
func (x *limbs) isZero() uint64 {
	any := x[0] | x[1] | x[2] | x[3]
	return 1 ^ ((any | -any) >> 63)
}

// isTrivial returns 1 if x is 0, 1 or N-1 and 0 otherwise, for x below N. N is a safe prime,
// so the powers of these numbers take at most two values. With such a verifier S can be
// computed without the password.
func (x *limbs) isTrivial() uint64 {
	one := limbs{x[0] ^ 1, x[1], x[2], x[3]}
	minusOne := limbs{x[0] ^ (modulus0 - 1), x[1] ^ modulus1, x[2] ^ modulus2, x[3] ^ modulus3}
	return x.isZero() | one.isZero() | minusOne.isZero()
}

// lessModulus returns x - N and the borrow, which is 1 if x is below N.
func (x *limbs) lessModulus() (d limbs, borrow uint64) {
	d[0], borrow = bits.Sub64(x[0], modulus0, 0)
	d[1], borrow = bits.Sub64(x[1], modulus1, borrow)
	d[2], borrow = bits.Sub64(x[2], modulus2, borrow)
	d[3], borrow = bits.Sub64(x[3], modulus3, borrow)
	return d, borrow
}

// reduce makes x the equal residue below N. One subtraction is enough because N is above
// 2^255.
func (x *limbs) reduce() {
	d, borrow := x.lessModulus()
	x.assignIf(&d, 1^borrow)
}

// assignIf sets x to y if yes is 1, and leaves x unchanged if yes is 0.
func (x *limbs) assignIf(y *limbs, yes uint64) {
	mask := -yes
	for i := range x {
		x[i] ^= mask & (x[i] ^ y[i])
	}
}

// add returns x + y mod N for x and y below N.
func (x *limbs) add(y *limbs) (z limbs) {
	var carry uint64
	z[0], carry = bits.Add64(x[0], y[0], 0)
	z[1], carry = bits.Add64(x[1], y[1], carry)
	z[2], carry = bits.Add64(x[2], y[2], carry)
	z[3], carry = bits.Add64(x[3], y[3], carry)
	d, borrow := z.lessModulus()
	z.assignIf(&d, carry|(1^borrow))
	return z
}

// sub returns x - y mod N for x and y below N.
func (x *limbs) sub(y *limbs) (z limbs) {
	var borrow, carry uint64
	z[0], borrow = bits.Sub64(x[0], y[0], 0)
	z[1], borrow = bits.Sub64(x[1], y[1], borrow)
	z[2], borrow = bits.Sub64(x[2], y[2], borrow)
	z[3], borrow = bits.Sub64(x[3], y[3], borrow)
	mask := -borrow
	z[0], carry = bits.Add64(z[0], mask&modulus0, 0)
	z[1], carry = bits.Add64(z[1], mask&modulus1, carry)
	z[2], carry = bits.Add64(z[2], mask&modulus2, carry)
	z[3], _ = bits.Add64(z[3], mask&modulus3, carry)
	return z
}
