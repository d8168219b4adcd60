package srp6

// generator has g^(d·16^i) for every place i of a 32-byte exponent and every digit d, in
// Montgomery form. So g^e is a product of one entry for each place, without squarings. It is
// 32 KiB, computed once when the program starts (about 20 µs) and only read afterwards.
var generator = makeGenerator(native)

func makeGenerator(f backend) *[64]window {
	var tables [64]window
	base := seven()
	for i := range tables {
		tables[i].fill(f, &base)
		f.mul(&base, &tables[i][15], &base)
	}
	return &tables
}

// raiseGenerator returns g^exponent in Montgomery form for a secret exponent of at most 32 bytes, little-endian.
func raiseGenerator(f backend, exponent []byte) limbs {
	var digits [64]byte
	split := splitDigits(digits[:], exponent)
	z := generator[0].at(split[0])
	f.comb(&z, generator[1:], split[1:])
	clear(digits[:])
	return z
}
