package srp6

// The group of every client of this protocol: a 256-bit safe prime, with 7 as generator and 3
// as the multiplier of SRP-6.
//
//	N = 894B645E89E1535BBDAD5B8B290650530801B18EBFBF5E8FAB3C82872A3E9BB7
//
// The arithmetic depends on three facts about N. It is odd, so Montgomery's method works. It
// is above 2^255, so any 256-bit number needs at most one subtraction of N. It fills its four
// limbs, so a sum of two residues may carry out of the fourth limb, and that carry must be
// kept.
const (
	modulus0 = 0xab3c82872a3e9bb7
	modulus1 = 0x0801b18ebfbf5e8f
	modulus2 = 0xbdad5b8b29065053
	modulus3 = 0x894b645e89e1535b

	// modulusInverse is -1/N mod 2^64. With it each step of a Montgomery reduction makes the
	// lowest limb 0.
	modulusInverse = 0xf2e782caeedfcdf9

	// Generator is g.
	Generator = 7
)

// one returns 1 in Montgomery form: 2^256 mod N.
func one() limbs {
	return limbs{0x54c37d78d5c16449, 0xf7fe4e714040a170, 0x4252a474d6f9afac, 0x76b49ba1761eaca4}
}

// seven returns g in Montgomery form.
func seven() limbs {
	return limbs{0x4ded5f22dad217b5, 0x97e9fbc0434832b4, 0x5e3259eeeaadebc8, 0x072be732ff8ec457}
}

// montgomerySquare returns 2^512 mod N; a number multiplied by it is in Montgomery form.
func montgomerySquare() limbs {
	return limbs{0x8634c9b2f90dffb6, 0x7f4040f53e106886, 0x1aceb8ab1c4865f6, 0x4cd44e7d71a9bb81}
}

// groupHash returns H(N) xor H(g), the first input of M1's hash.
func groupHash() [20]byte {
	return [20]byte{
		0xdd, 0x7b, 0xb0, 0x3a, 0x38, 0xac, 0x73, 0x11, 0x03, 0x98,
		0x7c, 0x5a, 0x50, 0x6f, 0xca, 0x96, 0x6c, 0x7b, 0xc2, 0xa7,
	}
}
