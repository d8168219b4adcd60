package srp6a

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// login has one exchange that succeeds.
type login struct {
	server    Server
	client    *Client
	challenge Challenge
	A         []byte
	M1        [32]byte
}

// mustLogin runs an exchange up to the client's proof. To be fast, it makes the verifier
// without the KDF and gives the client's identity the same x.
func mustLogin(t testing.TB, group Group, x *[32]byte) *login {
	t.Helper()
	q := group.suite()
	l := &login{server: Server{Name: "ALICE", Verifier: Verifier{Group: group, KDF: quick, Salt: [32]byte{7, 31: 9}}}}
	l.server.Verifier.V = q.powers.raise(x[:]).Bytes(q.modulus)
	l.server.Challenge(&[32]byte{1, 31: 2})
	l.challenge = Challenge{Params: l.server.Verifier.Params(), Salt: l.server.Verifier.Salt, B: l.server.B}
	l.client = NewClient(l.identity(x), &[32]byte{3, 31: 4})
	var err error
	if l.A, l.M1, err = l.client.Respond(&l.challenge); err != nil {
		t.Fatal(err)
	}
	return l
}

// identity returns an Identity that has the x of the login's verifier.
func (l *login) identity(x *[32]byte) *Identity {
	id := NewIdentity(l.server.Name, "not used")
	v := &l.server.Verifier
	id.known, id.params, id.salt, id.x, id.power = true, v.Params(), v.Salt, *x, v.Group.suite().powers.raise(x[:])
	return id
}

func TestExchange_WithKDF(t *testing.T) {
	salt := [32]byte{1, 2, 3}
	s := Server{Name: "ALICE", Verifier: NewVerifier(Params{Group2048, quick}, &salt, "alice", "secret")}
	s.Challenge(&[32]byte{5})
	ch := Challenge{Params: s.Verifier.Params(), Salt: salt, B: s.B}
	for name, c := range map[string]struct {
		name, password string
		want           error
	}{
		"right":            {"Alice", "secret", nil},
		"wrong password":   {"alice", "secreT", ErrProof},
		"empty password":   {"alice", "", ErrProof},
		"wrong name":       {"alicia", "secret", ErrProof},
		"name in password": {"alice:", "secret", ErrProof},
	} {
		id := NewIdentity(c.name, c.password)
		client := NewClient(id, &[32]byte{6})
		A, m1, err := client.Respond(&ch)
		if err != nil {
			t.Fatal(err)
		}
		secret, m2, err := s.Verify(A, &m1)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if c.want == nil && (!bytes.Equal(secret, client.Secret()) || client.CheckServer(&m2) != nil) {
			t.Errorf("%s: the sides do not share a secret", name)
		}
		if c.want != nil && (secret != nil || m2 != [32]byte{}) {
			t.Errorf("%s: something is left", name)
		}
	}
}

func TestExchange_EveryGroup(t *testing.T) {
	for _, c := range groups {
		l := mustLogin(t, c.group, &[32]byte{11})
		secret, m2, err := l.server.Verify(l.A, &l.M1)
		if err != nil || l.client.CheckServer(&m2) != nil || !bytes.Equal(secret, l.client.Secret()) {
			t.Errorf("%v: %v", c.group, err)
		}
		if len(secret) != c.group.Size() || len(l.A) != c.group.Size() || len(l.server.B) != c.group.Size() {
			t.Errorf("%v: sizes %d, %d, %d", c.group, len(secret), len(l.A), len(l.server.B))
		}
	}
}

// TestExchange_AgreesWithSecondImplementation compares every value of random exchanges,
// including exponents at the edges.
func TestExchange_AgreesWithSecondImplementation(t *testing.T) {
	exponent := rapid.OneOf(
		rapid.SliceOfN(rapid.Byte(), 32, 32),
		rapid.Just(make([]byte, 32)), rapid.Just(bytes.Repeat([]byte{0xff}, 32)),
		rapid.Map(rapid.Byte(), func(b byte) []byte { return append(make([]byte, 31), b) }),
	)
	rapid.Check(t, func(rt *rapid.T) {
		c := rapid.SampledFrom(groups).Draw(rt, "group")
		x, a := exponent.Draw(rt, "x"), exponent.Draw(rt, "a")
		b := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(rt, "b")
		salt := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(rt, "salt")
		name := rapid.StringMatching(`[A-Z0-9]{1,16}`).Draw(rt, "name")
		big := newBig(c.prime, c.g, sha256.New)
		want := big.run(name, salt, x, a, b)
		s := Server{Name: name, Verifier: Verifier{Group: c.group, KDF: quick, Salt: [32]byte(salt), V: big.pad(want.v)}}
		s.Challenge((*[32]byte)(b))
		l := login{server: s}
		client := NewClient(l.identity((*[32]byte)(x)), (*[32]byte)(a))
		A, m1, err := client.Respond(&Challenge{Params: s.Verifier.Params(), Salt: [32]byte(salt), B: s.B})
		if err != nil {
			rt.Fatal(err)
		}
		secret, m2, err := s.Verify(A, &m1)
		if err != nil || client.CheckServer(&m2) != nil {
			rt.Fatalf("verify: %v", err)
		}
		for what, pair := range map[string][2][]byte{
			"A": {A, big.pad(want.A)}, "B": {s.B, big.pad(want.B)}, "M1": {m1[:], want.M1}, "M2": {m2[:], want.M2},
			"S of the server": {secret, big.pad(want.server)}, "S of the client": {client.Secret(), big.pad(want.client)},
		} {
			if !bytes.Equal(pair[0], pair[1]) {
				rt.Fatalf("%s is %x, want %x", what, pair[0], pair[1])
			}
		}
	})
}

// multiples returns the numbers with the length of N that are 0 modulo N.
func multiples(q *suite) map[string][]byte {
	return map[string][]byte{"0": make([]byte, q.size()), "N": q.modulus.Nat().Bytes(q.modulus)}
}

func TestVerify_RefusesKeysThatFixTheSecret(t *testing.T) {
	for _, c := range groups {
		l := mustLogin(t, c.group, &[32]byte{11})
		for name, A := range multiples(c.group.suite()) {
			// A client that sends such a key knows that S is 0. The proof is correct for it.
			said := said{name: "ALICE", salt: l.server.Verifier.Salt[:], a: A, b: l.server.B}
			m1, _ := c.group.suite().proofs(&said, make([]byte, c.group.Size()))
			if secret, m2, err := l.server.Verify(A, (*[32]byte)(m1)); !errors.Is(err, ErrPublicKey) || secret != nil || m2 != [32]byte{} {
				t.Errorf("%v, A = %s: %v", c.group, name, err)
			}
		}
	}
}

func TestVerify_RefusesKeysOfAnotherSize(t *testing.T) {
	l := mustLogin(t, Group2048, &[32]byte{11})
	q := Group2048.suite()
	n := new(big.Int).SetBytes(q.modulus.Nat().Bytes(q.modulus))
	for name, A := range map[string][]byte{
		"nothing": nil, "short": l.A[1:], "cut": l.A[:255], "longer": append([]byte{0}, l.A...), "behind": append(bytes.Clone(l.A), 0),
		"2N": n.Lsh(n, 1).Bytes(), "huge": make([]byte, 4096),
	} {
		if secret, _, err := l.server.Verify(A, &l.M1); !errors.Is(err, ErrPublicKey) || secret != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerify_RefusesTamperedProofs(t *testing.T) {
	l := mustLogin(t, Group2048, &[32]byte{11})
	for i := range l.M1 {
		m1 := l.M1
		m1[i] ^= 1 << (i % 8)
		if _, _, err := l.server.Verify(l.A, &m1); !errors.Is(err, ErrProof) {
			t.Errorf("byte %d: %v", i, err)
		}
	}
	A := bytes.Clone(l.A)
	A[9] ^= 1
	if _, _, err := l.server.Verify(A, &l.M1); !errors.Is(err, ErrProof) {
		t.Errorf("another A: %v", err)
	}
}

func TestCheckServer_RefusesTamperedProofs(t *testing.T) {
	l := mustLogin(t, Group2048, &[32]byte{11})
	_, m2, err := l.server.Verify(l.A, &l.M1)
	if err != nil {
		t.Fatal(err)
	}
	for i := range m2 {
		bad := m2
		bad[i] ^= 0x80
		if err := l.client.CheckServer(&bad); !errors.Is(err, ErrProof) {
			t.Errorf("byte %d: %v", i, err)
		}
	}
	if err := l.client.CheckServer(&m2); err != nil {
		t.Error(err)
	}
	if err := NewClient(NewIdentity("a", "b"), &[32]byte{}).CheckServer(&[32]byte{}); !errors.Is(err, ErrProof) {
		t.Errorf("before the response: %v", err)
	}
}

func TestRespond_RefusesBadChallenges(t *testing.T) {
	good := mustLogin(t, Group2048, &[32]byte{11})
	respond := func(change func(*Challenge)) error {
		ch := good.challenge
		change(&ch)
		client := NewClient(good.identity(&[32]byte{11}), &[32]byte{3})
		A, m1, err := client.Respond(&ch)
		if err != nil && (A != nil || m1 != [32]byte{} || client.Secret() != nil) {
			t.Errorf("something is left with %v", err)
		}
		return err
	}
	for name, B := range multiples(Group2048.suite()) {
		if err := respond(func(c *Challenge) { c.B = B }); !errors.Is(err, ErrPublicKey) {
			t.Errorf("B = %s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*Challenge){
		"short B": func(c *Challenge) { c.B = c.B[1:] }, "no B": func(c *Challenge) { c.B = nil },
		"B of another group": func(c *Challenge) { c.Group = Group4096 },
	} {
		if err := respond(change); !errors.Is(err, ErrPublicKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*Challenge){
		"unknown group": func(c *Challenge) { c.Group = 1024 }, "no kdf": func(c *Challenge) { c.KDF = KDF{} },
		"weak kdf":   func(c *Challenge) { c.KDF = KDF{8, 1, 1} },
		"greedy kdf": func(c *Challenge) { c.KDF = KDF{1 << 20, 1, 1} },
	} {
		if err := respond(change); !errors.Is(err, ErrParams) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// zeroHash is a hash whose value is 0, for u.
type zeroHash struct{ hash.Hash }

func (zeroHash) Sum(b []byte) []byte { return append(b, make([]byte, 32)...) }

func TestRespond_RefusesZeroScrambler(t *testing.T) {
	q := newSuite(func() hash.Hash { return zeroHash{sha256.New()} }, prime2048, 2)
	key := q.powers.raise([]byte{9}).Bytes(q.modulus)
	if _, err := q.checkServerKey(key, key); !errors.Is(err, ErrPublicKey) {
		t.Error(err)
	}
}

func TestIdentity_RemembersTheLastParams(t *testing.T) {
	id := NewIdentity("alice", "secret")
	ch := Challenge{Params: Params{Group2048, quick}, Salt: [32]byte{1}}
	id.learn(&ch)
	first := id.x
	id.x[0] ^= 1 // a new computation would correct it
	id.learn(&ch)
	if id.x == first {
		t.Error("x was worked out twice for one salt")
	}
	for name, change := range map[string]func(){
		"salt": func() { ch.Salt[0]++ }, "kdf": func() { ch.KDF.Passes++ }, "group": func() { ch.Group = Group3072 },
	} {
		change()
		before := id.power
		if id.learn(&ch); id.power == before {
			t.Errorf("another %s and the same g^x", name)
		}
	}
	if id.Wipe(); id.x != [32]byte{} || id.known {
		t.Error("x is left")
	}
}

func TestWipe_LeavesNothing(t *testing.T) {
	l := mustLogin(t, Group2048, &[32]byte{11})
	secret := l.client.Secret()
	l.client.Wipe()
	l.server.Wipe()
	if !bytes.Equal(secret, make([]byte, len(secret))) || l.client.Secret() != nil || l.client.random != [32]byte{} || l.server.secret != [32]byte{} {
		t.Error("a secret is left")
	}
	if err := l.client.CheckServer(&[32]byte{}); !errors.Is(err, ErrProof) {
		t.Errorf("a wiped client believes a server: %v", err)
	}
}

func TestSecrets_ShowNothing(t *testing.T) {
	l := mustLogin(t, Group2048, &[32]byte{11})
	for _, v := range []any{l.server, &l.server, l.server.Verifier, &l.server.Verifier, *l.client, l.client, *l.identity(&[32]byte{1})} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
			if s := fmt.Sprintf(verb, v); len(s) > 10 {
				t.Errorf("%T shows %s with %s", v, s, verb)
			}
		}
		if b, err := json.Marshal(v); err != nil || strings.Contains(string(b), "ALICE") || len(b) > 20 {
			t.Errorf("%T as JSON: %s, %v", v, b, err)
		}
	}
}
