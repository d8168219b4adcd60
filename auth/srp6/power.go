package srp6

// window holds the powers 0 … 15 of one base, in Montgomery form, for exponents read four bits at a time.
type window [16]limbs

// at returns w[digit]. It reads every entry, so neither the time nor the cache reveals the
// digit.
func (w *window) at(digit byte) (z limbs) {
	for i := range w {
		difference := uint64(i) ^ uint64(digit)
		mask := (difference - 1) >> 63 * ^uint64(0)
		for j := range z {
			z[j] |= mask & w[i][j]
		}
	}
	return z
}

// fill sets w to the powers of base.
func (w *window) fill(f backend, base *limbs) {
	w[0], w[1] = one(), *base
	for i := 2; i < len(w); i += 2 {
		f.sqr(&w[i], &w[i/2], 1)
		f.mul(&w[i+1], &w[i], base)
	}
}

// splitDigits writes the 4-bit digits of a little-endian number to the start of digits, least
// significant first, and returns the part of digits that it wrote.
func splitDigits(digits []byte, number []byte) []byte {
	for i, b := range number {
		digits[2*i], digits[2*i+1] = b&15, b>>4
	}
	return digits[:2*len(number)]
}

// raise returns base^exponent for a secret exponent, little-endian and at most 48 bytes wide.
// It uses fixed windows of four bits, so the operations depend only on the width of the
// exponent.
func raise(f backend, base *limbs, exponent []byte) limbs {
	var w window
	var digits [96]byte
	w.fill(f, base)
	split := splitDigits(digits[:], exponent)
	for i, j := 0, len(split)-1; i < j; i, j = i+1, j-1 {
		split[i], split[j] = split[j], split[i]
	}
	z := w.at(split[0])
	f.power(&z, &w, split[1:])
	clear(digits[:])
	clear(w[:])
	return z
}

// raisePublic returns base^exponent for a public exponent of at most 32 bytes, little-endian.
// base may be secret, because the operations depend only on the exponent. Sliding windows of
// up to four bits skip zeros, so it needs only the odd powers.
func raisePublic(f backend, base *limbs, exponent []byte) limbs {
	var odd [8]limbs
	var square limbs
	odd[0] = *base
	f.sqr(&square, base, 1)
	for i := 1; i < len(odd); i++ {
		f.mul(&odd[i], &odd[i-1], &square)
	}
	z, started, pending := one(), false, 0
	for bit := 8*len(exponent) - 1; bit >= 0; {
		if exponent[bit/8]>>(bit%8)&1 == 0 {
			bit, pending = bit-1, pending+1
			continue
		}
		digit, width := oddDigit(exponent, bit)
		if started {
			f.sqr(&z, &z, pending+width)
			f.mul(&z, &z, &odd[digit/2])
		} else {
			z, started = odd[digit/2], true
		}
		bit, pending = bit-width, 0
	}
	if started {
		f.sqr(&z, &z, pending)
	}
	clear(odd[:])
	return z
}

// oddDigit returns the longest odd digit of at most four bits whose highest bit is the given one, and its width.
func oddDigit(exponent []byte, bit int) (digit, width int) {
	for length := 1; length <= 4 && length <= bit+1; length++ {
		low := bit - length + 1
		if exponent[low/8]>>(low%8)&1 == 0 {
			continue
		}
		digit, width = digit<<(length-width)|1, length
	}
	return digit, width
}
