package auth

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/big"
	"testing"

	"gatepass/auth/srp6a"
)

// mixed has the params of accounts while the operator moves to another group.
var mixed = []Weighted{
	{srp6a.Params{Group: srp6a.Group2048, KDF: srp6a.MinKDF()}, 6},
	{srp6a.Params{Group: srp6a.Group3072, KDF: srp6a.DefaultKDF()}, 0},
	{srp6a.Params{Group: srp6a.Group4096, KDF: srp6a.DefaultKDF()}, 2},
}

func fake(name string, secret byte) []byte {
	v := FakeNative([32]byte{secret}, []byte(name), mixed)
	return v.Append(nil)
}

func TestFakeNative_IsStableAndBelongsToOneName(t *testing.T) {
	want := fake("nobody", 1)
	for _, name := range []string{"nobody", "NOBODY", "NoBody"} {
		if !bytes.Equal(fake(name, 1), want) {
			t.Errorf("%s has another verifier", name)
		}
	}
	seen := map[[32]byte]string{}
	for _, name := range []string{"nobody", "", "nobod", "nobodyy", "nobody\x00"} {
		v := FakeNative([32]byte{1}, []byte(name), mixed)
		if other, ok := seen[v.Salt]; ok {
			t.Errorf("%q and %q share a salt", name, other)
		}
		seen[v.Salt] = name
	}
	if bytes.Equal(fake("nobody", 2), want) {
		t.Error("another secret gives the same verifier")
	}
	salt, _ := FakeCredentials(&Decoys{Secret: [32]byte{1}}, []byte("nobody"))
	if v := FakeNative([32]byte{1}, []byte("nobody"), mixed); v.Salt == [32]byte(salt) {
		t.Error("both protocols have one salt")
	}
}

// TestFakeNative_LooksLikeRealOnes: the verifier parses like a stored one, and the params have
// the frequencies of their weights.
func TestFakeNative_LooksLikeRealOnes(t *testing.T) {
	count := map[srp6a.Params]int{}
	const names = 4000
	for n := range names {
		v := FakeNative([32]byte{1}, fmt.Appendf(nil, "NAME%d", n), mixed)
		if _, err := srp6a.ParseVerifier(v.Append(nil)); err != nil {
			t.Fatal(err)
		}
		count[v.Params()]++
	}
	for _, w := range mixed {
		want := float64(names*w.Weight) / 8
		if got := float64(count[w.Params]); math.Abs(got-want) > 5*math.Sqrt(want) {
			t.Errorf("%+v: %v of %v", w.Params, got, want)
		}
	}
}

// TestFakeNative_IsUniform counts V / N in tenths.
func TestFakeNative_IsUniform(t *testing.T) {
	n := new(big.Int).Lsh(big.NewInt(1), 4096) // N is this but for its 64 highest bits' last one
	var tenths [10]int
	const names = 4000
	only := []Weighted{{srp6a.Params{Group: srp6a.Group4096, KDF: srp6a.MinKDF()}, 1}}
	for i := range names {
		v := new(big.Int).SetBytes(FakeNative([32]byte{2}, fmt.Appendf(nil, "NAME%d", i), only).V)
		tenths[v.Mul(v, big.NewInt(10)).Div(v, n).Int64()]++
	}
	for i, got := range tenths {
		if math.Abs(float64(got)-names/10) > 5*math.Sqrt(names/10) {
			t.Errorf("tenth %d has %d of %d", i, got, names)
		}
	}
}

func TestFakeNative_NobodyGetsIn(t *testing.T) {
	s := srp6a.Server{Name: "X", Verifier: FakeNative([32]byte{1}, []byte("X"), mixed[:1])}
	s.Challenge(&[32]byte{7})
	x := NativeExchange{Server: s}
	mustAnswer(t, &x, srp6a.NewIdentity("X", "X"))
	if _, _, err := s.Verify(x.A, &x.M1); !errors.Is(err, srp6a.ErrProof) {
		t.Error(err)
	}
}

func TestPick_FollowsTheWeights(t *testing.T) {
	for chance, want := range map[uint64]int{0: 0, math.MaxUint64 / 2: 0, 3 << 62: 2, math.MaxUint64: 2} {
		if p := pick(chance, mixed); p != mixed[want].Params {
			t.Errorf("%x: %+v", chance, p)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("no weight is no fault")
		}
	}()
	pick(1, mixed[1:2])
}

func BenchmarkFakeNative(b *testing.B) {
	for _, g := range []srp6a.Group{srp6a.Group2048, srp6a.Group4096} {
		b.Run("group="+g.String(), func(b *testing.B) {
			b.ReportAllocs()
			only := []Weighted{{srp6a.Params{Group: g, KDF: srp6a.MinKDF()}, 1}}
			for b.Loop() {
				if v := FakeNative([32]byte{1}, []byte("somebody"), only); len(v.V) != g.Size() {
					b.Fatal("size")
				}
			}
		})
	}
}
