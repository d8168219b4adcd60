//go:build amd64 && !purego

package srp6

import "github.com/klauspost/cpuid/v2"

// native is the fastest backend of this machine, chosen once when the program starts.
var native = fastest()

func fastest() backend {
	if cpuid.CPU.Supports(cpuid.BMI2, cpuid.ADX, cpuid.AVX2) {
		return backendADX
	}
	return backendPortable
}

// mul sets z = x·y in Montgomery form; z may be x or y.
func (f backend) mul(z, x, y *limbs) {
	if f == backendADX {
		mulADX(z, x, y)
		return
	}
	mulPortable(z, x, y)
}

// sqr sets z to x squared count times over; z may be x, and count may be 0.
func (f backend) sqr(z, x *limbs, count int) {
	if f == backendADX {
		sqrADX(z, x, uint64(count))
		return
	}
	sqrPortable(z, x, count)
}

// power sets z = z^16 · table[d] for each digit d in turn. digits are secret.
func (f backend) power(z *limbs, table *window, digits []byte) {
	if f == backendADX && len(digits) > 0 {
		powerADX(z, table, digits)
		return
	}
	powerPortable(z, table, digits)
}

// comb sets z = z · tables[i][digits[i]] for each i in turn. digits are secret; there are at least as many tables.
func (f backend) comb(z *limbs, tables []window, digits []byte) {
	if f == backendADX && len(digits) > 0 {
		combADX(z, &tables[:len(digits)][0], digits)
		return
	}
	combPortable(z, tables, digits)
}

//go:noescape
func mulADX(z, x, y *limbs)

//go:noescape
func sqrADX(z, x *limbs, count uint64)

//go:noescape
func powerADX(z *limbs, table *window, digits []byte)

//go:noescape
func combADX(z *limbs, tables *window, digits []byte)
