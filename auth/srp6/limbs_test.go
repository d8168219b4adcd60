package srp6

import (
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// backends returns the backends of this build that this machine supports.
func backends() []backend {
	return slices.Compact([]backend{backendPortable, native})
}

// eachBackend runs test once for every backend.
func eachBackend(t *testing.T, test func(t *testing.T, f backend)) {
	t.Helper()
	for _, f := range backends() {
		t.Run(f.String(), func(t *testing.T) { test(t, f) })
	}
}

// bigN returns the modulus for the reference calculation, copied from the protocol page.
func bigN() *big.Int {
	n, _ := new(big.Int).SetString("894B645E89E1535BBDAD5B8B290650530801B18EBFBF5E8FAB3C82872A3E9BB7", 16)
	return n
}

func (x limbs) big() *big.Int {
	b := x.bytes()
	return bigFromWire(b[:])
}

func bigFromWire(b []byte) *big.Int {
	b = slices.Clone(b)
	slices.Reverse(b)
	return new(big.Int).SetBytes(b)
}

func limbsFromBig(n *big.Int) limbs {
	var b [32]byte
	n.FillBytes(b[:])
	slices.Reverse(b[:])
	return limbsOf(&b)
}

// edgeLimbs returns the residues at which carries and borrows change.
func edgeLimbs() []limbs {
	n, all := limbsFromBig(bigN()), limbs{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}
	shifted := func(x limbs, by int64) limbs { return limbsFromBig(new(big.Int).Add(x.big(), big.NewInt(by))) }
	return []limbs{
		{}, {1}, {2}, {^uint64(0)}, {0, 1}, {0, 0, 0, 1}, {0, 0, 0, 1 << 63}, {0, ^uint64(0), ^uint64(0), ^uint64(0)},
		shifted(n, -2), shifted(n, -1), n, shifted(n, 1), shifted(n, 2), shifted(all, -1), all, one(), montgomerySquare(),
	}
}

func drawLimbs(t *rapid.T, label string) limbs {
	word := rapid.OneOf(rapid.Uint64(), rapid.SampledFrom([]uint64{0, 1, ^uint64(0), 1 << 63, modulus0, modulus3}))
	return rapid.OneOf(
		rapid.SampledFrom(edgeLimbs()),
		rapid.Custom(func(t *rapid.T) limbs {
			return limbs{word.Draw(t, "0"), word.Draw(t, "1"), word.Draw(t, "2"), word.Draw(t, "3")}
		}),
	).Draw(t, label)
}

// bigMontgomery returns x·y/2^256 mod N, by the formula.
func bigMontgomery(x, y *big.Int) *big.Int {
	r := new(big.Int).ModInverse(new(big.Int).Lsh(big.NewInt(1), 256), bigN())
	z := new(big.Int).Mul(x, y)
	return z.Mul(z, r).Mod(z, bigN())
}

// failer has the common methods of *testing.T and *rapid.T that are used here.
type failer interface {
	Helper()
	Fatalf(format string, arguments ...any)
}

func checkResidue(t failer, what string, got limbs, want *big.Int) {
	t.Helper()
	if reduced := new(big.Int).Mod(got.big(), bigN()); reduced.Cmp(want) != 0 {
		t.Fatalf("%s: got %x, want %x", what, reduced, want)
	}
}

// modulus returns N in wire order, as in the challenge.
func modulus() [32]byte {
	n := limbs{modulus0, modulus1, modulus2, modulus3}
	return n.bytes()
}

func TestGroup_Constants(t *testing.T) {
	m := modulus()
	if bigFromWire(m[:]).Cmp(bigN()) != 0 {
		t.Errorf("N = %x", m)
	}
	r := new(big.Int).Lsh(big.NewInt(1), 256)
	checkResidue(t, "one", one(), new(big.Int).Mod(r, bigN()))
	checkResidue(t, "seven", seven(), new(big.Int).Mod(new(big.Int).Mul(r, big.NewInt(Generator)), bigN()))
	checkResidue(t, "montgomerySquare", montgomerySquare(), new(big.Int).Exp(r, big.NewInt(2), bigN()))
	low := uint64(modulus0)
	if low*modulusInverse != ^uint64(0) {
		t.Error("modulusInverse is not -1/N mod 2^64")
	}
}

func TestLimbs_AddSubReduce_MatchBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := drawLimbs(t, "x"), drawLimbs(t, "y")
		x.reduce()
		y.reduce()
		if x.big().Cmp(bigN()) >= 0 {
			t.Fatalf("%x is not below N", x.big())
		}
		sum, difference := x.add(&y), x.sub(&y)
		wantSum := new(big.Int).Add(x.big(), y.big())
		wantDifference := new(big.Int).Sub(x.big(), y.big())
		if sum.big().Cmp(wantSum.Mod(wantSum, bigN())) != 0 {
			t.Fatalf("x+y = %x, want %x", sum.big(), wantSum)
		}
		if difference.big().Cmp(wantDifference.Mod(wantDifference, bigN())) != 0 {
			t.Fatalf("x-y = %x, want %x", difference.big(), wantDifference)
		}
	})
}

func TestLimbs_IsZero(t *testing.T) {
	for _, x := range edgeLimbs() {
		if got, want := x.isZero() == 1, x == (limbs{}); got != want {
			t.Errorf("%x: %v", x, got)
		}
	}
	for bit := range 256 {
		var x limbs
		x[bit/64] = 1 << (bit % 64)
		if x.isZero() != 0 {
			t.Errorf("bit %d is taken for zero", bit)
		}
	}
}

func TestBackend_Mul_EdgePairs(t *testing.T) {
	eachBackend(t, func(t *testing.T, f backend) {
		for _, x := range edgeLimbs() {
			for _, y := range edgeLimbs() {
				var z limbs
				f.mul(&z, &x, &y)
				checkResidue(t, "x·y", z, bigMontgomery(x.big(), y.big()))
			}
			var z limbs
			f.sqr(&z, &x, 1)
			checkResidue(t, "x²", z, bigMontgomery(x.big(), x.big()))
		}
	})
}

func TestBackend_MulSqr_MatchBig(t *testing.T) {
	eachBackend(t, func(t *testing.T, f backend) {
		rapid.Check(t, func(t *rapid.T) {
			x, y := drawLimbs(t, "x"), drawLimbs(t, "y")
			count := rapid.IntRange(0, 5).Draw(t, "count")
			z, want := x, x.big()
			f.mul(&z, &z, &y)
			checkResidue(t, "aliased x·y", z, bigMontgomery(want, y.big()))
			z = y
			f.mul(&z, &x, &z)
			checkResidue(t, "aliased y", z, bigMontgomery(want, y.big()))
			f.sqr(&z, &x, count)
			for range count {
				want = bigMontgomery(want, want)
			}
			checkResidue(t, "squares", z, want.Mod(want, bigN()))
		})
	})
}

func TestBackend_Montgomery_RoundTrip(t *testing.T) {
	eachBackend(t, func(t *testing.T, f backend) {
		for _, x := range edgeLimbs() {
			m := f.toMontgomery(&x)
			back := f.fromMontgomery(&m)
			if want := new(big.Int).Mod(x.big(), bigN()); back.big().Cmp(want) != 0 {
				t.Errorf("%x came back as %x", x.big(), back.big())
			}
		}
	})
}
