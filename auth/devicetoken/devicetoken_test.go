package devicetoken

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"

	"gatepass/auth/keyschedule"
	"golang.org/x/crypto/chacha20poly1305"
	"pgregory.net/rapid"
)

var rewrite = flag.Bool("rewrite", false, "write testdata anew")

// draw32 draws 32 random bytes.
func draw32(t *rapid.T, label string) [32]byte {
	return [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, label))
}

func drawExchange(t *rapid.T) (key [32]byte, e Exchange, p Proof) {
	e.Nonces = keyschedule.Nonces{Client: draw32(t, "client nonce"), Server: draw32(t, "server nonce")}
	e.Transcript = draw32(t, "transcript")
	return draw32(t, "key"), e, Proof{draw32(t, "secret"), draw32(t, "fallback"), draw32(t, "next")}
}

func TestSeal_Open_RoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		key, e, p := drawExchange(rt)
		sealed := Seal(&key, &e, &p)
		got, err := Open(&key, &e, &sealed)
		if err != nil || got != p {
			rt.Fatalf("%v", err)
		}
	})
}

// TestOpen_RefusesWhatWasChanged flips one bit anywhere in the inputs.
func TestOpen_RefusesWhatWasChanged(t *testing.T) {
	key, e, p := [32]byte{1}, Exchange{Transcript: [32]byte{2}}, Proof{Secret: [32]byte{3}}
	sealed := Seal(&key, &e, &p)
	for name, b := range map[string][]byte{
		"key": key[:], "client nonce": e.Nonces.Client[:], "server nonce": e.Nonces.Server[:],
		"transcript": e.Transcript[:], "sealed": sealed[:],
	} {
		for bit := range 8 * len(b) {
			b[bit/8] ^= 1 << (bit % 8)
			if got, err := Open(&key, &e, &sealed); !errors.Is(err, ErrSeal) || got != (Proof{}) {
				t.Fatalf("%s, bit %d: %v", name, bit, err)
			}
			b[bit/8] ^= 1 << (bit % 8)
		}
	}
	if _, err := Open(&key, &e, &sealed); err != nil {
		t.Error(err)
	}
}

func TestOpen_RefusesAnotherExchange(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		key, e, p := drawExchange(rt)
		sealed := Seal(&key, &e, &p)
		other := e
		other.Nonces.Server = draw32(rt, "another nonce")
		if _, err := Open(&key, &other, &sealed); err == nil && other != e {
			rt.Fatal("a proof was replayed")
		}
	})
}

func TestProof_Opens(t *testing.T) {
	secret, fallback, other, zero := [32]byte{1}, [32]byte{2}, [32]byte{3}, [32]byte{}
	for name, c := range map[string]struct {
		proof Proof
		of    *[32]byte
		want  bool
	}{
		"secret":                 {Proof{Secret: secret}, &secret, true},
		"secret, with fallback":  {Proof{Secret: secret, Fallback: fallback}, &secret, true},
		"fallback":               {Proof{Secret: secret, Fallback: fallback}, &fallback, true},
		"both the same":          {Proof{Secret: secret, Fallback: secret}, &secret, true},
		"neither":                {Proof{Secret: secret, Fallback: fallback}, &other, false},
		"no fallback":            {Proof{Secret: secret}, &zero, false},
		"next is not shown":      {Proof{Secret: secret, Next: VerifierOf(&other)}, &other, false},
		"zero, with a fallback":  {Proof{Secret: secret, Fallback: fallback}, &zero, false},
		"verifier as the secret": {Proof{Secret: VerifierOf(&secret)}, &secret, false},
	} {
		v := VerifierOf(c.of)
		if got := c.proof.Opens(&v); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestToken_OneUseEach uses a token many times, with the state that client and server store.
func TestToken_OneUseEach(t *testing.T) {
	key, secret, next := [32]byte{1}, [32]byte{2}, [32]byte{3}
	stored := VerifierOf(&secret)
	show := func(nonce byte, p Proof) bool {
		e := Exchange{Nonces: keyschedule.Nonces{Server: [32]byte{nonce}}}
		sealed := Seal(&key, &e, &p)
		got, err := Open(&key, &e, &sealed)
		if err != nil {
			t.Fatal(err)
		}
		fits := got.Opens(&stored)
		if fits {
			stored = got.Next
		}
		return fits
	}
	if !show(1, Proof{Secret: secret, Next: VerifierOf(&next)}) {
		t.Fatal("the first use was refused")
	}
	if show(2, Proof{Secret: secret, Next: VerifierOf(&[32]byte{9})}) {
		t.Error("a used secret was taken")
	}
	// The client did not receive the result of the first use. It has both secrets, and does
	// not know which is valid.
	if !show(3, Proof{Secret: secret, Fallback: next, Next: VerifierOf(&[32]byte{4})}) {
		t.Error("the fallback was refused")
	}
}

func TestProof_ShowsNothing(t *testing.T) {
	p := Proof{Secret: [32]byte{1}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		if s := fmt.Sprintf(verb, p) + fmt.Sprintf(verb, &p); s != "proofproof" {
			t.Errorf("%s shows %s", verb, s)
		}
	}
	if b, err := json.Marshal(&p); err != nil || string(b) != `"proof"` {
		t.Errorf("JSON: %s, %v", b, err)
	}
	if p.Wipe(); p != (Proof{}) {
		t.Error("a secret is left")
	}
}

const vectorFile = "testdata/proof.json"

// vector is one sealed proof; testdata/README.md describes it.
type vector struct {
	Key         string `json:"key"`
	ClientNonce string `json:"client_nonce"`
	ServerNonce string `json:"server_nonce"`
	Transcript  string `json:"transcript"`
	Secret      string `json:"secret"`
	Fallback    string `json:"fallback"`
	Next        string `json:"next"`
	Verifier    string `json:"verifier"`
	Sealed      string `json:"sealed"`
}

func TestVectors(t *testing.T) {
	value := func(label string) [32]byte { return VerifierOf((*[32]byte)([]byte(fmt.Sprintf("%-32s", label)))) }
	text := func(b [32]byte) string { return hex.EncodeToString(b[:]) }
	key, p := value("key"), Proof{value("secret"), value("fallback"), value("next")}
	e := Exchange{keyschedule.Nonces{Client: value("client nonce"), Server: value("server nonce")}, value("transcript")}
	sealed := Seal(&key, &e, &p)
	got, err := json.MarshalIndent(vector{
		text(key), text(e.Nonces.Client), text(e.Nonces.Server), text(e.Transcript),
		text(p.Secret), text(p.Fallback), text(p.Next), text(VerifierOf(&p.Secret)), hex.EncodeToString(sealed[:]),
	}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *rewrite {
		if err := os.WriteFile(vectorFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(vectorFile)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what the code does (%v); see -rewrite", vectorFile, err)
	}
}

// TestSeal_IsTheAEAD checks sizes and order against the protocol's document.
func TestSeal_IsTheAEAD(t *testing.T) {
	key, e := [32]byte{1}, Exchange{Transcript: [32]byte{2}}
	p := Proof{[32]byte{3}, [32]byte{4}, [32]byte{5}}
	once := keyschedule.TokenKey(&key, &e.Nonces)
	c, err := chacha20poly1305.New(once[:])
	if err != nil {
		t.Fatal(err)
	}
	plain := bytes.Join([][]byte{p.Secret[:], p.Fallback[:], p.Next[:]}, nil)
	want := c.Seal(nil, make([]byte, 12), plain, e.Transcript[:])
	if got := Seal(&key, &e, &p); !bytes.Equal(got[:], want) || len(want) != 112 {
		t.Errorf("%x, want %x", got, want)
	}
}

func BenchmarkOpen(b *testing.B) {
	key, e, p := [32]byte{1}, Exchange{}, Proof{Secret: [32]byte{2}}
	sealed, v := Seal(&key, &e, &p), VerifierOf(&p.Secret)
	b.ReportAllocs()
	for b.Loop() {
		if got, err := Open(&key, &e, &sealed); err != nil || !got.Opens(&v) {
			b.Fatal(err)
		}
	}
}
