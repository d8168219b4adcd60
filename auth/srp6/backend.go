package srp6

// backend is one implementation of the arithmetic. All give the same residues; tests run every
// vector through each.
type backend uint8

const (
	// backendPortable is written in Go and works everywhere.
	backendPortable backend = iota
	// backendADX is assembly for amd64 processors with BMI2, ADX and AVX2.
	backendADX
)

// String returns the backend's name, for tests and benchmarks.
func (f backend) String() string {
	if f == backendADX {
		return "adx"
	}
	return "portable"
}

// toMontgomery returns the Montgomery form of a plain number.
func (f backend) toMontgomery(x *limbs) (z limbs) {
	r := montgomerySquare()
	f.mul(&z, x, &r)
	return z
}

// fromMontgomery returns the plain number below N.
func (f backend) fromMontgomery(x *limbs) (z limbs) {
	f.mul(&z, x, &limbs{1})
	z.reduce()
	return z
}
