package srp6

import "math/bits"

// sum is the running sum of a product: five limbs and the carry beyond them.
type sum struct{ t0, t1, t2, t3, t4, over uint64 }

// mulPortable sets z = x·y/2^256 mod N. For each limb of y it adds one row of the product and
// does one step of the reduction.
//
// The sum stays below 2^256 + N: x is below 2^256, each row adds at most (2^64-1)·x, and each
// step adds at most (2^64-1)·N before it drops a limb. So its fifth limb is a carry of 0 or 1,
// and one subtraction of N if it is 1 makes z less than 2^256. z may be x or y.
func mulPortable(z, x, y *limbs) {
	var s sum
	for _, d := range y {
		s.add(x, d)
		s.reduce()
	}
	r := limbs{s.t0, s.t1, s.t2, s.t3}
	d, _ := r.lessModulus()
	r.assignIf(&d, s.t4)
	*z = r
}

// add adds x·d. It adds the low halves of the four products in one carry chain, and the high
// halves in another.
func (s *sum) add(x *limbs, d uint64) {
	var c uint64
	h0, l0 := bits.Mul64(x[0], d)
	h1, l1 := bits.Mul64(x[1], d)
	h2, l2 := bits.Mul64(x[2], d)
	h3, l3 := bits.Mul64(x[3], d)
	s.t0, c = bits.Add64(s.t0, l0, 0)
	s.t1, c = bits.Add64(s.t1, l1, c)
	s.t2, c = bits.Add64(s.t2, l2, c)
	s.t3, c = bits.Add64(s.t3, l3, c)
	s.t4, c = bits.Add64(s.t4, 0, c)
	s.over += c
	s.t1, c = bits.Add64(s.t1, h0, 0)
	s.t2, c = bits.Add64(s.t2, h1, c)
	s.t3, c = bits.Add64(s.t3, h2, c)
	s.t4, c = bits.Add64(s.t4, h3, c)
	s.over += c
}

// reduce adds the multiple of N that clears the lowest limb, and drops that limb.
func (s *sum) reduce() {
	s.add(&limbs{modulus0, modulus1, modulus2, modulus3}, s.t0*modulusInverse)
	s.t0, s.t1, s.t2, s.t3, s.t4, s.over = s.t1, s.t2, s.t3, s.t4, s.over, 0
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
