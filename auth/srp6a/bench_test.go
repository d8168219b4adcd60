package srp6a

import (
	"math/big"
	"testing"

	"filippo.io/bigmod"
)

// BenchmarkLogin measures the server's side of one whole login, and its exponentiations alone:
// g^b, v^u and (A v^u)^b. The same run measures these by bigmod, by bigmod with the table for
// g^b as the code does, and by math/big, whose time depends on the secrets.
func BenchmarkLogin(b *testing.B) {
	for _, c := range groups {
		l := mustLogin(b, c.group, &[32]byte{11, 31: 12})
		random := l.server.secret
		b.Run("group="+c.group.String()+"/work=login", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				l.server.Challenge(&random)
				if _, _, err := l.server.Verify(l.A, &l.M1); err != nil {
					b.Fatal(err)
				}
			}
		})
		for name, work := range bare(l) {
			b.Run("group="+c.group.String()+"/work="+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if work() {
						b.Fatal("zero")
					}
				}
			})
		}
	}
}

// bare returns the exponentiations of a login as functions. Each of them returns whether its
// result was zero.
func bare(l *login) map[string]func() bool {
	q := l.server.Verifier.Group.suite()
	m := q.modulus
	u, secret := q.scrambler(l.A, l.server.B), l.server.secret[:]
	g, v, a := q.number([]byte{5}), q.number(l.server.Verifier.V), q.residue(l.A)
	number := func(x *bigmod.Nat) *big.Int { return new(big.Int).SetBytes(x.Bytes(m)) }
	n, bg, bv, ba := number(m.Nat()), number(g), number(v), number(a)
	bu, bs := new(big.Int).SetBytes(u), new(big.Int).SetBytes(secret)
	both := func() *bigmod.Nat {
		z := bigmod.NewNat().Exp(v, u, m)
		return bigmod.NewNat().Exp(z.Mul(a, m), secret, m)
	}
	return map[string]func() bool{
		"bigmod": func() bool { return bigmod.NewNat().Exp(g, secret, m).IsZero()|both().IsZero() == 1 },
		"comb":   func() bool { return q.powers.raise(secret).IsZero()|both().IsZero() == 1 },
		"big": func() bool {
			power := new(big.Int).Exp(bg, bs, n)
			z := new(big.Int).Exp(bv, bu, n)
			z.Mul(z, ba).Mod(z, n)
			return z.Exp(z, bs, n).Sign()*power.Sign() == 0
		},
	}
}

// BenchmarkRaise measures g^b by the table and by bigmod's exponentiation.
func BenchmarkRaise(b *testing.B) {
	exponent := mustHex(b, rfcSecretB)
	for _, c := range groups {
		q := c.group.suite()
		g := q.number([]byte{byte(c.g)})
		b.Run("group="+c.group.String()+"/by=comb", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				q.powers.raise(exponent)
			}
		})
		b.Run("group="+c.group.String()+"/by=exp", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bigmod.NewNat().Exp(g, exponent, q.modulus)
			}
		})
	}
}

func BenchmarkChallenge(b *testing.B) {
	for _, c := range groups {
		b.Run("group="+c.group.String(), func(b *testing.B) {
			b.ReportAllocs()
			l := mustLogin(b, c.group, &[32]byte{11})
			for b.Loop() {
				l.server.Challenge(&[32]byte{1, 31: 2})
			}
		})
	}
}

// BenchmarkRespond measures the client's side, by an identity that has cached x.
func BenchmarkRespond(b *testing.B) {
	for _, c := range groups {
		b.Run("group="+c.group.String(), func(b *testing.B) {
			b.ReportAllocs()
			l := mustLogin(b, c.group, &[32]byte{11})
			for b.Loop() {
				if _, m1, err := l.client.Respond(&l.challenge); err != nil || m1 != l.M1 {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkKDF(b *testing.B) {
	for name, k := range map[string]KDF{"min": MinKDF(), "default": DefaultKDF()} {
		b.Run("kdf="+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				k.key(&[32]byte{1}, "ALICE", "secret")
			}
		})
	}
}

func BenchmarkParseVerifier(b *testing.B) {
	l := mustLogin(b, Group2048, &[32]byte{11})
	stored := l.server.Verifier.Append(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseVerifier(stored); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSuite measures the additional cost of a group's first use.
func BenchmarkSuite(b *testing.B) {
	for _, c := range groups {
		b.Run("group="+c.group.String(), func(b *testing.B) {
			for b.Loop() {
				newSuite(c.group.suite().hash, c.prime, byte(c.g))
			}
		})
	}
}
