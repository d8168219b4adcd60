package srp6a

import (
	"crypto/sha1"
	"hash"
	"math/big"
)

// prime1024 is the prime of the RFC's smallest group, for its vectors only.
const prime1024 = "" +
	"eeaf0ab9adb38dd69c33f80afa8fc5e86072618775ff3c0b9ea2314c9c256576" +
	"d674df7496ea81d3383b4813d692c6e0e0d5d8e250b98be48e495c1d6089dad1" +
	"5dc7d7b46154d6b6ce8ef4ad69b15d4982559b297bcf1885c529f566660e57ec" +
	"68edbc3c05726cc02fd4cbf4976eaa9afd5138fe8376435b9fc61d2fc0eb06e3"

func suite1024() *suite { return newSuite(sha1.New, prime1024, 2) }

// bigSuite is the second implementation: the formulas of RFC 5054 and RFC 2945 in math/big. It
// shares only the primes' digits with the first.
type bigSuite struct {
	n, g *big.Int
	hash func() hash.Hash
}

func newBig(prime string, g int64, hash func() hash.Hash) *bigSuite {
	n, ok := new(big.Int).SetString(prime, 16)
	if !ok {
		panic("not a number")
	}
	return &bigSuite{n: n, g: big.NewInt(g), hash: hash}
}

// pad returns PAD of the RFC.
func (s *bigSuite) pad(x *big.Int) []byte { return x.FillBytes(make([]byte, (s.n.BitLen()+7)/8)) }

func (s *bigSuite) h(parts ...[]byte) []byte {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	h := s.hash()
	h.Write(all)
	return h.Sum(nil)
}

func (s *bigSuite) hInt(parts ...[]byte) *big.Int { return new(big.Int).SetBytes(s.h(parts...)) }

// bigExchange has all values of one exchange, by the formulas of both sides.
type bigExchange struct {
	k, v, a, b, A, B, u *big.Int
	client, server      *big.Int // S
	K, M1, M2           []byte
}

// run computes one exchange; x, a and b are big-endian.
func (s *bigSuite) run(name string, salt, x, a, b []byte) (e bigExchange) {
	xn := new(big.Int).SetBytes(x)
	e.a, e.b = new(big.Int).SetBytes(a), new(big.Int).SetBytes(b)
	e.k = s.hInt(s.n.Bytes(), s.pad(s.g))
	e.v = s.exp(s.g, xn)
	e.A = s.exp(s.g, e.a)
	e.B = s.mod(s.add(s.mul(e.k, e.v), s.exp(s.g, e.b)))
	e.u = s.hInt(s.pad(e.A), s.pad(e.B))
	// Client: (B - k g^x)^(a + u x). Server: (A v^u)^b.
	e.client = s.exp(s.mod(new(big.Int).Sub(e.B, s.mul(e.k, e.v))), s.add(e.a, s.mul(e.u, xn)))
	e.server = s.exp(s.mul(e.A, s.exp(e.v, e.u)), e.b)
	e.K = s.h(s.pad(e.server))
	hn, hg := s.h(s.n.Bytes()), s.h(s.g.Bytes())
	xor := make([]byte, len(hn))
	for i := range xor {
		xor[i] = hn[i] ^ hg[i]
	}
	e.M1 = s.h(xor, s.h([]byte(name)), salt, s.pad(e.A), s.pad(e.B), e.K)
	e.M2 = s.h(s.pad(e.A), e.M1, e.K)
	return e
}

func (s *bigSuite) exp(x, e *big.Int) *big.Int { return new(big.Int).Exp(x, e, s.n) }
func (s *bigSuite) mod(x *big.Int) *big.Int    { return new(big.Int).Mod(x, s.n) }
func (s *bigSuite) mul(x, y *big.Int) *big.Int { return new(big.Int).Mul(x, y) }
func (s *bigSuite) add(x, y *big.Int) *big.Int { return new(big.Int).Add(x, y) }
