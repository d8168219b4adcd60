package srp6

// backend says which arithmetic to use. All give the same residues; tests run every vector through each of them.
type backend uint8

const (
	// backendPortable is written in Go and works everywhere.
	backendPortable backend = iota
	// backendADX is assembly for amd64 processors with BMI2, ADX and AVX2.
	backendADX
)

// String names the backend in test and benchmark names.
func (f backend) String() string {
	if f == backendADX {
		return "adx"
	}
	return "portable"
}

// toMontgomery brings a plain number into Montgomery form.
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
