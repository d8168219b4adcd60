package srp6

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// login has a whole exchange up to the client's proof.
type login struct {
	ephemeral Ephemeral
	exchange  Exchange
	client    *Client
}

// mustLogin runs an exchange in which the client enters the given password for the account of
// name and "SECRET".
func mustLogin(t testing.TB, name, typed string, random byte) *login {
	t.Helper()
	raw, secret, b := [32]byte{random, 1}, [32]byte{random, 2}, [SecretSize]byte{random, 3}
	raw[31], secret[31], b[SecretSize-1] = random, random^0x5a, random^0xa5
	l := &login{ephemeral: NewEphemeral(&b), client: NewClient(name, typed, &secret)}
	x := &l.exchange
	x.Name, x.Salt = name16(name), NewSalt(&raw)
	x.Verifier = NewVerifier(&x.Salt, name, "SECRET")
	x.A, x.B = l.client.PublicKey(), l.ephemeral.PublicKey(&x.Verifier)
	m1, err := l.client.Respond(&x.B, &x.Salt)
	if err != nil {
		t.Fatal(err)
	}
	x.M1 = m1
	return l
}

func TestVerify_RightPassword_BothSidesAgree(t *testing.T) {
	for random := range 50 {
		l := mustLogin(t, "Alice", "secret", byte(random))
		k, m2, err := l.ephemeral.Verify(&l.exchange)
		if err != nil || l.client.CheckServer(&m2) != nil || l.client.SessionKey() != k || k == (SessionKey{}) {
			t.Fatalf("random %d: %v", random, err)
		}
		m2[0] ^= 1
		if !errors.Is(l.client.CheckServer(&m2), ErrProof) {
			t.Fatal("client takes a wrong server proof")
		}
	}
}

func TestVerify_AnyChange_IsRefusedWithNothing(t *testing.T) {
	n := PublicKey(modulus())
	changes := map[string]struct {
		change func(x *Exchange)
		want   error
	}{
		"M1 first bit":       {func(x *Exchange) { x.M1[0] ^= 1 }, ErrProof},
		"M1 last bit":        {func(x *Exchange) { x.M1[19] ^= 0x80 }, ErrProof},
		"M1 zero":            {func(x *Exchange) { x.M1 = Proof{} }, ErrProof},
		"name":               {func(x *Exchange) { x.Name[0] = 'B' }, ErrProof},
		"name longer":        {func(x *Exchange) { x.Name[5] = 'E' }, ErrProof},
		"salt":               {func(x *Exchange) { x.Salt[9] ^= 1 }, ErrProof},
		"verifier":           {func(x *Exchange) { x.Verifier[9] ^= 1 }, ErrProof},
		"A":                  {func(x *Exchange) { x.A[9] ^= 1 }, ErrProof},
		"B":                  {func(x *Exchange) { x.B[9] ^= 1 }, ErrProof},
		"A = 0":              {func(x *Exchange) { x.A = PublicKey{} }, ErrPublicKey},
		"A = N":              {func(x *Exchange) { x.A = n }, ErrPublicKey},
		"A = 0, forged":      {func(x *Exchange) { forgeZero(x, PublicKey{}) }, ErrPublicKey},
		"A = N, forged":      {func(x *Exchange) { forgeZero(x, n) }, ErrPublicKey},
		"verifier 0, forged": {func(x *Exchange) { x.Verifier = Verifier{}; forgeZero(x, x.A) }, ErrProof},
		"verifier N, forged": {func(x *Exchange) { x.Verifier = Verifier(n); forgeZero(x, x.A) }, ErrProof},
	}
	for name, c := range changes {
		t.Run(name, func(t *testing.T) {
			l := mustLogin(t, "Alice", "secret", 7)
			c.change(&l.exchange)
			eachBackend(t, func(t *testing.T, f backend) {
				k, m2, err := verify(f, l.ephemeral.secret[:], &l.exchange)
				if !errors.Is(err, c.want) || k != (SessionKey{}) || m2 != (Proof{}) {
					t.Errorf("%v, key zero %v, M2 zero %v", err, k == (SessionKey{}), m2 == (Proof{}))
				}
			})
		})
	}
}

// forgeZero returns the proof of an attacker who has forced S to 0 and so knows the key.
func forgeZero(x *Exchange, a PublicKey) {
	x.A = a
	var s [32]byte
	k := interleave(&s)
	made := transcript{user: nameHash(&x.Name), salt: &x.Salt, a: &x.A, b: &x.B}
	x.M1 = made.clientProof(&k)
}

// TestVerify_TrivialVerifier_IsRefused is an attack without a password against a verifier
// whose powers are 1 or -1. S is then (B - 3v)^a times such a power, so one of two guesses is
// right.
func TestVerify_TrivialVerifier_IsRefused(t *testing.T) {
	for _, v := range []Verifier{{1}, nearModulus(-1), nearModulus(1)} {
		l := mustLogin(t, "Alice", "secret", 5)
		x := &l.exchange
		x.Verifier, x.B = v, l.ephemeral.PublicKey(&v)
		base := new(big.Int).Sub(bigFromWire(x.B[:]), new(big.Int).Mul(big.NewInt(3), bigFromWire(v[:])))
		s := new(big.Int).Exp(base, bigFromWire(l.client.secret[:]), bigN())
		right := serverSecret(native, x, scramblerBytes(x), l.ephemeral.secret[:])
		guesses := []*big.Int{s, new(big.Int).Sub(bigN(), s)}
		hit := false
		for _, guess := range guesses {
			wire := new(limbs(limbsFromBig(guess))).bytes()
			hit = hit || wire == right
			k := interleave(&wire)
			made := transcript{user: nameHash(&x.Name), salt: &x.Salt, a: &x.A, b: &x.B}
			x.M1 = made.clientProof(&k)
			if key, _, err := l.ephemeral.Verify(x); !errors.Is(err, ErrProof) || key != (SessionKey{}) {
				t.Errorf("verifier %x: a guess is taken: %v", v[:], err)
			}
		}
		if !hit {
			t.Errorf("verifier %x: neither guess is the server's secret: the attack is played wrongly", v[:])
		}
	}
}

// nearModulus returns N + by, in wire order.
func nearModulus(by int64) Verifier {
	x := limbsFromBig(new(big.Int).Add(bigN(), big.NewInt(by)))
	return x.bytes()
}

func scramblerBytes(x *Exchange) []byte {
	u := scrambler(&x.A, &x.B)
	return u[:]
}

func TestVerify_WrongPassword_IsRefused(t *testing.T) {
	l := mustLogin(t, "Alice", "secreT2", 9)
	if k, _, err := l.ephemeral.Verify(&l.exchange); !errors.Is(err, ErrProof) || k != (SessionKey{}) {
		t.Errorf("%v", err)
	}
}

func TestVerify_FoldsTheNamesCase(t *testing.T) {
	l := mustLogin(t, "ALICE", "SECRET", 9)
	l.exchange.Name = name16("alice")
	if _, _, err := l.ephemeral.Verify(&l.exchange); err != nil {
		t.Error(err)
	}
}

func TestClient_Respond_RefusesZeroB(t *testing.T) {
	c := NewClient("A", "A", &[32]byte{1})
	for _, b := range []PublicKey{{}, modulus()} {
		if m1, err := c.Respond(&b, &Salt{}); !errors.Is(err, ErrPublicKey) || m1 != (Proof{}) {
			t.Errorf("B = %x: %v", b, err)
		}
	}
	if !errors.Is(c.CheckServer(&Proof{}), ErrProof) {
		t.Error("a client that never responded takes a zero server proof")
	}
}

func TestIdentity_RemembersTheSaltOnly(t *testing.T) {
	id := NewIdentity("Alice", "secret")
	for i := range byte(6) {
		l := mustLogin(t, "Alice", "secret", 3+i/2)
		c := id.NewClient(&l.client.secret)
		m1, err := c.Respond(&l.exchange.B, &l.exchange.Salt)
		if err != nil || m1 != l.exchange.M1 {
			t.Fatalf("round %d: %v, proof equal %v", i, err, m1 == l.exchange.M1)
		}
	}
}

// An identity does not compute x again for a salt that it has cached.
func TestIdentity_WorksOutASaltOnce(t *testing.T) {
	id, salt := NewIdentity("Alice", "secret"), Salt{1}
	id.learn(&salt)
	x := id.x
	id.x = [20]byte{} // a mark that shows whether x is computed again
	if id.learn(&salt); id.x != [20]byte{} {
		t.Error("the same salt is worked out again")
	}
	id.learn(&Salt{2})
	if id.learn(&salt); id.x != x {
		t.Error("another salt's x is taken")
	}
}

func TestExponent_MatchesBig(t *testing.T) {
	digest := rapid.SliceOfN(rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte{0, 0xff})), 20, 20)
	rapid.Check(t, func(t *rapid.T) {
		a := drawLimbs(t, "a")
		u, x := digest.Draw(t, "u"), digest.Draw(t, "x")
		ab := a.bytes()
		e := exponent(&ab, (*[20]byte)(u), (*[20]byte)(x))
		want := new(big.Int).Mul(bigFromWire(u), bigFromWire(x))
		if want.Add(want, a.big()); bigFromWire(e[:]).Cmp(want) != 0 {
			t.Fatalf("got %x, want %x", bigFromWire(e[:]), want)
		}
	})
}

// TestServerSecret_MatchesBig includes operands that no honest peer sends.
func TestServerSecret_MatchesBig(t *testing.T) {
	eachBackend(t, func(t *testing.T, f backend) {
		rapid.Check(t, func(t *rapid.T) {
			a, v := drawLimbs(t, "A"), drawLimbs(t, "v")
			u, b := drawExponent(t, 20), drawExponent(t, 32)
			x := Exchange{A: a.bytes(), Verifier: v.bytes()}
			s := serverSecret(f, &x, u, b)
			if want := bigServerSecret(a.big(), v.big(), [2]*big.Int{bigFromWire(u), bigFromWire(b)}); bigFromWire(s[:]).Cmp(want) != 0 {
				t.Fatalf("got %x, want %x", bigFromWire(s[:]), want)
			}
		})
	})
}

// bigServerSecret returns (A·v^u)^b mod N, by the formula.
func bigServerSecret(a, v *big.Int, exponents [2]*big.Int) *big.Int {
	base := new(big.Int).Exp(v, exponents[0], bigN())
	base.Mul(base, a)
	return base.Exp(base, exponents[1], bigN())
}

func TestPublicKey_MatchesBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, power := drawLimbs(t, "v"), drawLimbs(t, "power")
		power.reduce()
		verifier := Verifier(v.bytes())
		b := publicKey(&power, &verifier)
		want := new(big.Int).Mul(v.big(), big.NewInt(3))
		want.Add(want, power.big()).Mod(want, bigN())
		if bigFromWire(b[:]).Cmp(want) != 0 {
			t.Fatalf("got %x, want %x", bigFromWire(b[:]), want)
		}
	})
}

func TestNewSalt_HighestAndLowestBitAreSet(t *testing.T) {
	for b := range 256 {
		raw := [32]byte{0: byte(b), 15: 7, 31: byte(b)}
		s := NewSalt(&raw)
		want := Salt{0: byte(b) | 1, 15: 7, 31: byte(b) | 0x80}
		if s != want {
			t.Errorf("bytes %d give %x", b, s)
		}
	}
}

func TestVerifier_Valid(t *testing.T) {
	cases := []struct {
		v    Verifier
		want bool
	}{
		{Verifier{}, false}, {Verifier{1}, false}, {Verifier{2}, true},
		{nearModulus(-2), true}, {nearModulus(-1), false}, {nearModulus(0), false}, {nearModulus(1), false},
	}
	for _, c := range cases {
		if got := c.v.Valid(); got != c.want {
			t.Errorf("%x: %v", c.v[:], got)
		}
	}
}

func TestUpper_TouchesASCIIOnly(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "abc": "ABC", "ABC": "ABC", "a1:{`@z": "A1:{`@Z", "ñé\x80a": "ñé\x80A",
	} {
		if got := Upper(in); got != want {
			t.Errorf("Upper(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestSecrets_NeverPrint formats each secret with every verb that could show it.
func TestSecrets_NeverPrint(t *testing.T) {
	l := mustLogin(t, "Alice", "secret", 0xab)
	k := l.client.SessionKey()
	secrets := map[string]any{
		"session-key": k, "verifier": l.exchange.Verifier, "ephemeral": l.ephemeral,
		"client": *l.client, "identity": *l.client.identity,
	}
	for want, secret := range secrets {
		for _, verb := range strings.Fields("%v %+v %#v %s %q %x %X %d %b") {
			if got := fmt.Sprintf(verb, secret); got != want {
				t.Errorf("%s of %s prints %q", verb, want, got)
			}
		}
	}
	if text, err := k.MarshalText(); err != nil || string(text) != "session-key" {
		t.Errorf("MarshalText: %q, %v", text, err)
	}
}

func TestWipe_LeavesZeros(t *testing.T) {
	l := mustLogin(t, "Alice", "secret", 0xab)
	k := l.client.SessionKey()
	k.Wipe()
	l.ephemeral.Wipe()
	l.client.Wipe()
	if k != (SessionKey{}) || l.ephemeral != (Ephemeral{}) {
		t.Error("key or ephemeral is left")
	}
	if c := l.client; c.secret != [32]byte{} || c.k != (SessionKey{}) || c.m2 != (Proof{}) {
		t.Error("client secrets are left")
	}
}

func TestAllocations_None(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	l := mustLogin(t, "Alice", "secret", 1)
	random, raw := [SecretSize]byte{1}, [16]byte{}
	id, name := l.client.identity, []byte("a name of sixteen")
	k := l.client.SessionKey()
	for what, run := range map[string]func(){
		"NewEphemeral":   func() { l.ephemeral = NewEphemeral(&random) },
		"PublicKey":      func() { l.exchange.B = l.ephemeral.PublicKey(&l.exchange.Verifier) },
		"Verify":         func() { _, _, _ = l.ephemeral.Verify(&l.exchange) },
		"client":         func() { c := id.NewClient(&l.client.secret); _, _ = c.Respond(&l.exchange.B, &l.exchange.Salt) },
		"NewVerifier":    func() { NewVerifier(&l.exchange.Salt, "ALICE", "SECRET") },
		"ReconnectProof": func() { ReconnectProof(name, &raw, &raw, &k) },
	} {
		if n := testing.AllocsPerRun(50, run); n != 0 {
			t.Errorf("%s: %v allocations", what, n)
		}
	}
}
