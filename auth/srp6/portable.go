package srp6

import "math/bits"

// mulPortable sets z = x·y/2^256 mod N: one row of the product and one step of the reduction for each limb of y.
//
// The running sum t stays below 2^256 + N (x is below 2^256, each row adds at most (2^64-1)·x, each step at most
// (2^64-1)·N before it drops a limb), so its fifth limb is a carry of 0 or 1, and subtracting N once when it is 1
// brings z below 2^256. z may be x or y.
func mulPortable(z, x, y *limbs) {
	var t [5]uint64
	for _, d := range y {
		over := addRow(&t, x, d)
		reduceRow(&t, over)
	}
	r := limbs(t[:4])
	d, _ := r.lessModulus()
	r.assignIf(&d, t[4])
	*z = r
}

// addRow adds x·d to t and returns what does not fit into five limbs.
func addRow(t *[5]uint64, x *limbs, d uint64) (over uint64) {
	var carry uint64
	for j, limb := range x {
		hi, lo := bits.Mul64(limb, d)
		var c uint64
		lo, c = bits.Add64(lo, t[j], 0)
		hi += c
		t[j], c = bits.Add64(lo, carry, 0)
		carry = hi + c
	}
	t[4], over = bits.Add64(t[4], carry, 0)
	return over
}

// reduceRow adds the multiple of N that clears the lowest limb of t, and drops that limb.
func reduceRow(t *[5]uint64, over uint64) {
	m := t[0] * modulusInverse
	hi, lo := bits.Mul64(m, modulus0)
	_, c := bits.Add64(lo, t[0], 0)
	carry := hi + c
	for j, limb := range [3]uint64{modulus1, modulus2, modulus3} {
		hi, lo := bits.Mul64(m, limb)
		lo, c = bits.Add64(lo, t[j+1], 0)
		hi += c
		t[j], c = bits.Add64(lo, carry, 0)
		carry = hi + c
	}
	t[3], c = bits.Add64(t[4], carry, 0)
	t[4] = over + c
}

// sqrPortable sets z to x squared count times over.
func sqrPortable(z, x *limbs, count int) {
	t := *x
	for range count {
		mulPortable(&t, &t, &t)
	}
	*z = t
}

// powerPortable sets z = z^16 · table[d] for each digit d in turn.
func powerPortable(z *limbs, table *window, digits []byte) {
	for _, d := range digits {
		sqrPortable(z, z, 4)
		f := table.at(d)
		mulPortable(z, z, &f)
	}
}

// combPortable sets z = z · tables[i][digits[i]] for each i in turn.
func combPortable(z *limbs, tables []window, digits []byte) {
	for i, d := range digits {
		f := tables[i].at(d)
		mulPortable(z, z, &f)
	}
}
