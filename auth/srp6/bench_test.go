package srp6

import (
	"math/big"
	"testing"
)

// BenchmarkLogin measures the server's side of one login, and the same exponentiations by
// math/big in the same run. The ratio of the two can be compared between machines.
func BenchmarkLogin(b *testing.B) {
	l := mustLogin(b, "Alice", "secret", 1)
	for _, f := range backends() {
		b.Run("arithmetic="+f.String(), func(b *testing.B) {
			b.ReportAllocs()
			secret := l.ephemeral.secret
			for b.Loop() {
				power := plainPower(f, secret[:])
				l.exchange.B = publicKey(&power, &l.exchange.Verifier)
				if _, _, err := verify(f, secret[:], &l.exchange); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("arithmetic=big", func(b *testing.B) {
		b.ReportAllocs()
		x := &l.exchange
		n, g, secret := bigN(), big.NewInt(Generator), bigFromWire(l.ephemeral.secret[:])
		v, a := bigFromWire(x.Verifier[:]), bigFromWire(x.A[:])
		u := scrambler(&x.A, &x.B)
		for b.Loop() {
			key := new(big.Int).Exp(g, secret, n)
			key.Add(key, new(big.Int).Mul(v, big.NewInt(3))).Mod(key, n)
			s := bigServerSecret(a, v, [2]*big.Int{bigFromWire(u[:]), secret})
			if key.Sign() == 0 || s.Sign() == 0 {
				b.Fatal("zero")
			}
		}
	})
}

func BenchmarkNewEphemeral(b *testing.B) {
	b.ReportAllocs()
	random := [SecretSize]byte{1, 2, 3}
	for b.Loop() {
		NewEphemeral(&random)
	}
}

func BenchmarkPublicKey(b *testing.B) {
	b.ReportAllocs()
	l := mustLogin(b, "Alice", "secret", 1)
	for b.Loop() {
		if l.ephemeral.PublicKey(&l.exchange.Verifier) != l.exchange.B {
			b.Fatal("another key")
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	b.ReportAllocs()
	l := mustLogin(b, "Alice", "secret", 1)
	for b.Loop() {
		if _, _, err := l.ephemeral.Verify(&l.exchange); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewVerifier(b *testing.B) {
	b.ReportAllocs()
	salt := Salt{1}
	for b.Loop() {
		NewVerifier(&salt, "ALICE", "SECRET")
	}
}

// BenchmarkClient measures the client's side of one login, by an identity that has cached the
// salt and by one that has not.
func BenchmarkClient(b *testing.B) {
	l := mustLogin(b, "Alice", "secret", 1)
	id := NewIdentity("Alice", "secret")
	for _, known := range []string{"true", "false"} {
		b.Run("salt-known="+known, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				id.known = id.known && known == "true"
				c := id.NewClient(&l.client.secret)
				if m1, err := c.Respond(&l.exchange.B, &l.exchange.Salt); err != nil || m1 != l.exchange.M1 {
					b.Fatal(err)
				}
			}
		})
	}
}
