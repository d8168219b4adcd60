package srp6

import (
	"bytes"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// drawExponent draws an exponent, more often with zero bytes, zero digits and full digits at
// either end.
func drawExponent(t *rapid.T, longest int) []byte {
	b := rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte{0, 0, 1, 0x0f, 0xf0, 0x80, 0xff}))
	return rapid.SliceOfN(b, 1, longest).Draw(t, "exponent")
}

func TestRaise_MatchesBig(t *testing.T) {
	eachBackend(t, func(t *testing.T, f backend) {
		rapid.Check(t, func(t *rapid.T) {
			x, e := drawLimbs(t, "base"), drawExponent(t, 48)
			m := f.toMontgomery(&x)
			r := raise(f, &m, e)
			z := f.fromMontgomery(&r)
			want := new(big.Int).Exp(x.big(), bigFromWire(e), bigN())
			if z.big().Cmp(want) != 0 {
				t.Fatalf("got %x, want %x", z.big(), want)
			}
		})
	})
}

func TestRaisePublic_MatchesBig(t *testing.T) {
	eachBackend(t, func(t *testing.T, f backend) {
		rapid.Check(t, func(t *rapid.T) {
			x, e := drawLimbs(t, "base"), drawExponent(t, 32)
			m := f.toMontgomery(&x)
			r := raisePublic(f, &m, e)
			z := f.fromMontgomery(&r)
			want := new(big.Int).Exp(x.big(), bigFromWire(e), bigN())
			if z.big().Cmp(want) != 0 {
				t.Fatalf("got %x, want %x", z.big(), want)
			}
		})
	})
}

func TestRaiseGenerator_MatchesBig(t *testing.T) {
	eachBackend(t, func(t *testing.T, f backend) {
		rapid.Check(t, func(t *rapid.T) {
			e := drawExponent(t, 32)
			r := raiseGenerator(f, e)
			z := f.fromMontgomery(&r)
			want := new(big.Int).Exp(big.NewInt(Generator), bigFromWire(e), bigN())
			if z.big().Cmp(want) != 0 {
				t.Fatalf("got %x, want %x", z.big(), want)
			}
		})
	})
}

func TestGenerator_TableIsTheSameFromEachBackend(t *testing.T) {
	eachBackend(t, func(t *testing.T, f backend) {
		table := makeGenerator(f)
		for i := range table {
			for d := range table[i] {
				got, want := f.fromMontgomery(&table[i][d]), f.fromMontgomery(&generator[i][d])
				if got != want {
					t.Fatalf("place %d digit %d: %x, want %x", i, d, got, want)
				}
			}
		}
	})
}

func TestRaise_LeavesExponentAlone(t *testing.T) {
	e := []byte{1, 2, 3, 0xff}
	m := seven()
	raise(native, &m, e)
	raisePublic(native, &m, e)
	raiseGenerator(native, e)
	if !bytes.Equal(e, []byte{1, 2, 3, 0xff}) {
		t.Errorf("exponent became %x", e)
	}
}

func TestWindow_At_ReadsTheDigit(t *testing.T) {
	var w window
	base := seven()
	w.fill(native, &base)
	for d := range byte(16) {
		if w.at(d) != w[d] {
			t.Errorf("digit %d", d)
		}
	}
}

func BenchmarkMul(b *testing.B) {
	for _, f := range backends() {
		b.Run("backend="+f.String(), func(b *testing.B) {
			b.ReportAllocs()
			x := seven()
			for b.Loop() {
				f.mul(&x, &x, &x)
			}
		})
	}
}

func BenchmarkSquareFour(b *testing.B) {
	for _, f := range backends() {
		b.Run("backend="+f.String(), func(b *testing.B) {
			b.ReportAllocs()
			x := seven()
			for b.Loop() {
				f.sqr(&x, &x, 4)
			}
		})
	}
}

// BenchmarkRaise measures one exponentiation of each kind, with the widths of a login.
func BenchmarkRaise(b *testing.B) {
	secret, public := bytes.Repeat([]byte{0xa5}, 19), bytes.Repeat([]byte{0x5a}, 20)
	for _, f := range backends() {
		x := seven()
		b.Run("kind=secret/backend="+f.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x = raise(f, &x, secret)
			}
		})
		b.Run("kind=public/backend="+f.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x = raisePublic(f, &x, public)
			}
		})
		b.Run("kind=generator/backend="+f.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x = raiseGenerator(f, secret)
			}
		})
	}
}
