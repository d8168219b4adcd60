package srp6a

import (
	"bytes"
	"errors"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestVerifier_RoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := rapid.SampledFrom(groups).Draw(rt, "group")
		v := Verifier{Group: c.group}
		v.KDF.Lanes = rapid.Uint32Range(1, 16).Draw(rt, "lanes")
		v.KDF.Passes = rapid.Uint32Range(1, 16).Draw(rt, "passes")
		v.KDF.MemoryKiB = rapid.Uint32Range(8*v.KDF.Lanes, 1<<20).Draw(rt, "memory")
		v.Salt = [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(rt, "salt"))
		q := c.group.suite()
		v.V = q.powers.raise(append([]byte{1}, rapid.SliceOfN(rapid.Byte(), 0, 31).Draw(rt, "x")...)).Bytes(q.modulus)
		stored := v.Append([]byte("before"))[6:]
		got, err := ParseVerifier(stored)
		if err != nil || got.Params() != v.Params() || got.Salt != v.Salt || !bytes.Equal(got.V, v.V) {
			rt.Fatalf("%v", err)
		}
		if again := got.Append(nil); !bytes.Equal(again, stored) {
			rt.Fatalf("%x, was %x", again, stored)
		}
		clear(stored)
		if !bytes.Equal(got.V, v.V) {
			rt.Fatal("V aliases what was parsed")
		}
	})
}

func TestParseVerifier_Refuses(t *testing.T) {
	for _, c := range groups {
		q := c.group.suite()
		good := Verifier{Group: c.group, KDF: DefaultKDF(), V: q.powers.raise([]byte{9}).Bytes(q.modulus)}
		stored := good.Append(nil)
		for n := range stored {
			if _, err := ParseVerifier(stored[:n]); !errors.Is(err, ErrVerifier) {
				t.Fatalf("%v, the first %d bytes: %v", c.group, n, err)
			}
		}
		n := new(big.Int).SetBytes(q.modulus.Nat().Bytes(q.modulus))
		for name, v := range map[string]*big.Int{
			"0": big.NewInt(0), "1": big.NewInt(1), "N-1": new(big.Int).Sub(n, big.NewInt(1)), "N": n, "N+1": new(big.Int).Add(n, big.NewInt(1)),
		} {
			bad := good
			bad.V = v.FillBytes(make([]byte, q.size()))
			if _, err := ParseVerifier(bad.Append(nil)); !errors.Is(err, ErrVerifier) {
				t.Errorf("%v, V = %s: %v", c.group, name, err)
			}
		}
		for name, v := range map[string]*big.Int{"2": big.NewInt(2), "N-2": new(big.Int).Sub(n, big.NewInt(2))} {
			edge := good
			edge.V = v.FillBytes(make([]byte, q.size()))
			if _, err := ParseVerifier(edge.Append(nil)); err != nil {
				t.Errorf("%v, V = %s: %v", c.group, name, err)
			}
		}
		for at, what := range map[int]string{0: "version", 2: "group", 6: "memory", 7: "passes", 8: "lanes"} {
			bad := bytes.Clone(stored)
			bad[at] = 0xff
			if _, err := ParseVerifier(bad); !errors.Is(err, ErrVerifier) {
				t.Errorf("%v, %s: %v", c.group, what, err)
			}
		}
		if _, err := ParseVerifier(append(stored, 0)); !errors.Is(err, ErrVerifier) {
			t.Errorf("%v, a byte more: %v", c.group, err)
		}
	}
}

func FuzzParseVerifier(f *testing.F) {
	seeds := make(map[string]bool)
	for _, c := range groups {
		q := c.group.suite()
		v := Verifier{Group: c.group, KDF: MinKDF(), Salt: [32]byte{1}, V: q.powers.raise([]byte{9}).Bytes(q.modulus)}
		f.Add(v.Append(nil))
		seeds[string(v.Append(nil))] = true
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := ParseVerifier(b)
		if err != nil {
			return
		}
		if again := v.Append(nil); !bytes.Equal(again, b) {
			t.Errorf("%x", again)
		}
		// Challenge accepts every verifier that was parsed. This is not tried in the larger
		// groups, where it takes too long for each input and does the same.
		if s := (Server{Verifier: v}); v.Group == Group2048 || seeds[string(b)] {
			s.Challenge(&[32]byte{1})
		}
	})
}

func TestNewVerifier_InvalidParams_Panics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("nothing")
		}
	}()
	NewVerifier(Params{Group: Group2048}, &[32]byte{}, "a", "b")
}

// TestDecoy_IsTheNumberModuloN compares with the second implementation.
func TestDecoy_IsTheNumberModuloN(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := rapid.SampledFrom(groups).Draw(rt, "group")
		size := DecoySize(c.group)
		b := rapid.OneOf(rapid.SliceOfN(rapid.Byte(), size, size), rapid.Just(bytes.Repeat([]byte{0xff}, size))).Draw(rt, "random")
		v := Decoy(Params{c.group, quick}, &[32]byte{1}, b)
		n, _ := new(big.Int).SetString(c.prime, 16)
		want := new(big.Int).Mod(new(big.Int).SetBytes(b), n)
		if !bytes.Equal(v.V, want.FillBytes(make([]byte, c.group.Size()))) {
			rt.Fatalf("%x", v.V)
		}
	})
}
