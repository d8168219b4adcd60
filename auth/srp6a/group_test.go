package srp6a

import (
	"math/big"
	"testing"
)

// groups are all groups, with the data of RFC 5054.
var groups = []struct {
	group Group
	prime string
	g     int64
}{{Group2048, prime2048, 2}, {Group3072, prime3072, 5}, {Group4096, prime4096, 5}}

func TestGroups_PrimesAreSafe(t *testing.T) {
	for _, c := range groups {
		n, _ := new(big.Int).SetString(c.prime, 16)
		half := new(big.Int).Rsh(n, 1)
		if n.BitLen() != int(c.group) || len(c.prime) != 2*c.group.Size() {
			t.Errorf("%v has %d bits", c.group, n.BitLen())
		}
		// The numbers are fixed, so the result is not random: math/big's additional test
		// besides the rounds has no known counterexample.
		if !n.ProbablyPrime(1) || !half.ProbablyPrime(1) {
			t.Errorf("%v is no safe prime", c.group)
		}
		// g generates all residues: its power by (N-1)/2 is not 1 but N-1.
		if z := new(big.Int).Exp(big.NewInt(c.g), half, n); z.Cmp(new(big.Int).Sub(n, big.NewInt(1))) != 0 {
			t.Errorf("%d does not generate the group of %v", c.g, c.group)
		}
	}
}

// TestGroups_LargePrimesAreThoseOfRFC3526: N = 2^n - 2^(n-64) - 1 + 2^64 ([2^(n-130) pi] + c).
func TestGroups_LargePrimesAreThoseOfRFC3526(t *testing.T) {
	for _, c := range []struct {
		bits  uint
		add   int64
		prime string
	}{{3072, 1690314, prime3072}, {4096, 240904, prime4096}} {
		one := big.NewInt(1)
		n := new(big.Int).Lsh(one, c.bits)
		n.Sub(n, new(big.Int).Lsh(one, c.bits-64)).Sub(n, one)
		middle := scaledPi(c.bits - 130)
		n.Add(n, middle.Add(middle, big.NewInt(c.add)).Lsh(middle, 64))
		if n.Text(16) != c.prime {
			t.Errorf("%d: %s", c.bits, n.Text(16))
		}
	}
}

// scaledPi returns [2^bits pi], by Machin's formula with 64 bits to spare.
func scaledPi(bits uint) *big.Int {
	unit := new(big.Int).Lsh(big.NewInt(1), bits+64)
	arctan := func(d int64) *big.Int { // of 1/d
		sum, term, squared := new(big.Int), new(big.Int).Div(unit, big.NewInt(d)), big.NewInt(d*d)
		for n := int64(1); term.Sign() != 0; n += 2 {
			part := new(big.Int).Div(term, big.NewInt(n))
			if n%4 == 3 {
				part.Neg(part)
			}
			sum.Add(sum, part)
			term.Div(term, squared)
		}
		return sum
	}
	pi := arctan(5)
	pi.Lsh(pi, 2).Sub(pi, arctan(239)).Lsh(pi, 2)
	return pi.Rsh(pi, 64)
}

func TestParseGroup(t *testing.T) {
	for _, c := range groups {
		if g, err := ParseGroup(int(c.group)); err != nil || g != c.group {
			t.Errorf("%v: %v, %v", c.group, g, err)
		}
	}
	for _, bits := range []int{0, -2048, 1024, 2047, 2048 + 1<<16} {
		if g, err := ParseGroup(bits); err == nil {
			t.Errorf("%d is %v", bits, g)
		}
	}
	if s := Group3072.String(); s != "3072" {
		t.Error(s)
	}
}

func TestUnknownGroup_Panics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("nothing")
		}
	}()
	Group(1024).Prepare()
}
