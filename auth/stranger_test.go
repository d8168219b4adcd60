package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"gatepass/auth/srp6"
)

func TestFakeCredentials_AreStableAndBelongToOneName(t *testing.T) {
	secret := [32]byte{1, 2, 3}
	salt, v := FakeCredentials(&Decoys{Secret: secret}, []byte("nobody"))
	for _, name := range []string{"nobody", "NOBODY", "NoBody"} {
		if s, w := FakeCredentials(&Decoys{Secret: secret}, []byte(name)); s != salt || w != v {
			t.Errorf("%s has other credentials", name)
		}
	}
	for _, name := range []string{"", "nobod", "nobodyy", "nobody\x00"} {
		if s, w := FakeCredentials(&Decoys{Secret: secret}, []byte(name)); s == salt || w == v {
			t.Errorf("%q shares credentials", name)
		}
	}
	secret[31] ^= 1
	if s, w := FakeCredentials(&Decoys{Secret: secret}, []byte("nobody")); s == salt || w == v {
		t.Error("another secret gives the same credentials")
	}
}

// The share of made-up salts with the marks of real ones is the configured one: of 4,096,
// within five standard deviations.
func TestFakeCredentials_LookLikeRealOnes(t *testing.T) {
	const names = 4096
	for _, d := range []Decoys{
		{Secret: [32]byte{1}, Marked: 256}, {Secret: [32]byte{2}, Marked: 0}, {Secret: [32]byte{3}, Marked: 0, ZeroTop: true},
		{Secret: [32]byte{4}, Marked: 128},
	} {
		var ones [256]int
		both, zeros := 0, 0
		for n := range names {
			salt, v := FakeCredentials(&d, fmt.Appendf(nil, "NAME%d", n))
			if !v.Valid() {
				t.Fatalf("%d: the verifier of %x is not valid", n, salt)
			}
			for i := range ones {
				ones[i] += int(salt[i/8] >> (i % 8) & 1)
			}
			if salt[0]&1 == 1 && salt[31] >= 0x80 {
				both++
			}
			if salt[31] == 0 {
				zeros++
			}
		}
		share := float64(d.Marked) / 256
		for i, n := range ones {
			want := 0.5
			if i == 0 || i == 255 {
				want = share + (1-share)/2
			}
			wantShare(t, fmt.Sprintf("%d marked, bit %d", d.Marked, i), proportion{n, names, want})
		}
		wantShare(t, fmt.Sprintf("%d marked, both bits", d.Marked), proportion{both, names, share + (1-share)/4})
		if (zeros > 0) != (d.ZeroTop && d.Marked < 256) {
			t.Errorf("%d marked, zero tops %v: %d salts with a zero at the top", d.Marked, d.ZeroTop, zeros)
		}
	}
}

// proportion is a count: how many of all had a property that each has with a probability.
type proportion struct {
	had, all    int
	probability float64
}

func wantShare(t *testing.T, what string, s proportion) {
	t.Helper()
	mean, deviation := s.probability*float64(s.all), math.Sqrt(float64(s.all)*s.probability*(1-s.probability))
	if math.Abs(float64(s.had)-mean) > 5*deviation+1 {
		t.Errorf("%s: %d of %d, expected %.0f ± %.0f", what, s.had, s.all, mean, deviation)
	}
}

func TestRegionDecoys_FollowTheKey(t *testing.T) {
	one, same, other := RegionDecoys([]byte{1, 2, 3}), RegionDecoys([]byte{1, 2, 3}), RegionDecoys([]byte{1, 2, 4})
	if one != same || one == other || one == [32]byte{} {
		t.Errorf("%x, %x, %x", one, same, other)
	}
	d := Decoys{Secret: [32]byte{0xab, 0xcd}}
	if text := fmt.Sprint(d); text != "decoys" {
		t.Errorf("printed: %s", text)
	}
}

func TestFakeCredentials_NobodyGetsIn(t *testing.T) {
	e := srp6.NewEphemeral(&[srp6.SecretSize]byte{7})
	x := srp6.Exchange{Name: [srp6.MaxName]byte{'X'}}
	x.Salt, x.Verifier = FakeCredentials(&Decoys{Secret: [32]byte{1}}, []byte("X"))
	x.B = e.PublicKey(&x.Verifier)
	c := srp6.NewClient("X", "X", &[32]byte{9})
	m1, err := c.Respond(&x.B, &x.Salt)
	if err != nil {
		t.Fatal(err)
	}
	x.A, x.M1 = c.PublicKey(), m1
	if _, _, err := e.Verify(&x); !errors.Is(err, srp6.ErrProof) {
		t.Errorf("%v", err)
	}
}

func TestDerive_IsHMAC(t *testing.T) {
	secret := [32]byte{1, 2, 3, 31: 4}
	for _, name := range []string{"", "A", "NAME_OF_16_BYTES", strings.Repeat("N", 255)} {
		mac := hmac.New(sha256.New, secret[:])
		mac.Write([]byte{labelSalt})
		mac.Write([]byte(name))
		if got := derive(&secret, labelSalt, []byte(name)); string(got[:]) != string(mac.Sum(nil)) {
			t.Errorf("%q: %x", name, got)
		}
	}
}

func TestFakeCredentials_Allocations_None(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	name := []byte("somebody")
	if n := testing.AllocsPerRun(50, func() { FakeCredentials(&Decoys{Secret: [32]byte{1}}, name) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkFakeCredentials(b *testing.B) {
	b.ReportAllocs()
	name := []byte("somebody")
	for b.Loop() {
		if _, v := FakeCredentials(&Decoys{Secret: [32]byte{1}}, name); !v.Valid() {
			b.Fatal("invalid")
		}
	}
}
