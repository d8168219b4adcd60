package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"gatepass/auth/srp6"
)

func TestFakeCredentials_AreStableAndBelongToOneName(t *testing.T) {
	secret := [32]byte{1, 2, 3}
	salt, v := FakeCredentials(secret, []byte("nobody"))
	for _, name := range []string{"nobody", "NOBODY", "NoBody"} {
		if s, w := FakeCredentials(secret, []byte(name)); s != salt || w != v {
			t.Errorf("%s has other credentials", name)
		}
	}
	for _, name := range []string{"", "nobod", "nobodyy", "nobody\x00"} {
		if s, w := FakeCredentials(secret, []byte(name)); s == salt || w == v {
			t.Errorf("%q shares credentials", name)
		}
	}
	secret[31] ^= 1
	if s, w := FakeCredentials(secret, []byte("nobody")); s == salt || w == v {
		t.Error("another secret gives the same credentials")
	}
}

func TestFakeCredentials_LookLikeRealOnes(t *testing.T) {
	for n := range 600 {
		salt, v := FakeCredentials([32]byte{byte(n), byte(n >> 8)}, []byte("nobody"))
		if salt[31] == 0 || !v.Valid() {
			t.Fatalf("%d: salt %x, verifier valid %v", n, salt, v.Valid())
		}
	}
}

func TestFakeCredentials_NobodyGetsIn(t *testing.T) {
	e := srp6.NewEphemeral(&[srp6.SecretSize]byte{7})
	x := srp6.Exchange{Name: [srp6.MaxName]byte{'X'}}
	x.Salt, x.Verifier = FakeCredentials([32]byte{1}, []byte("X"))
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
	for _, name := range []string{"", "A", "NAME_OF_16_BYTES", strings.Repeat("N", longestName)} {
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
	if n := testing.AllocsPerRun(50, func() { FakeCredentials([32]byte{1}, name) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkFakeCredentials(b *testing.B) {
	b.ReportAllocs()
	name := []byte("somebody")
	for b.Loop() {
		if _, v := FakeCredentials([32]byte{1}, name); !v.Valid() {
			b.Fatal("invalid")
		}
	}
}
