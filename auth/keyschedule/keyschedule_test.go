package keyschedule

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func mustHex(t testing.TB, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(digits)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestRFC5869 runs the vectors of RFC 5869 for SHA-256 through the functions that this package
// calls. (The package's own functions have a salt of 64 bytes and results of 32, which no
// vector has.)
func TestRFC5869(t *testing.T) {
	long := func(from, n int) (b []byte) {
		for i := range n {
			b = append(b, byte(from+i))
		}
		return b
	}
	for name, c := range map[string]struct {
		ikm, salt, info []byte
		prk, okm        string
	}{
		"A.1": {
			bytes.Repeat([]byte{0x0b}, 22), long(0, 13), long(0xf0, 10),
			"077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
			"3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
		},
		"A.2": {
			long(0, 80), long(0x60, 80), long(0xb0, 80),
			"06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
			"b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
		},
		"A.3": {
			bytes.Repeat([]byte{0x0b}, 22), nil, nil,
			"19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
			"8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
		},
	} {
		prk, err := hkdf.Extract(sha256.New, c.ikm, c.salt)
		if err != nil || hex.EncodeToString(prk) != c.prk {
			t.Errorf("%s: PRK %x, %v", name, prk, err)
		}
		// The first 32 bytes of HKDF-Expand do not depend on the length.
		if okm := expand(prk, string(c.info)); !bytes.Equal(okm[:], mustHex(t, c.okm)[:32]) {
			t.Errorf("%s: OKM %x", name, okm)
		}
	}
}

// sample returns the inputs from which the tests derive keys.
func sample() (secret []byte, n Nonces, transcript [32]byte) {
	return bytes.Repeat([]byte{1}, 256), Nonces{Client: [32]byte{2}, Server: [32]byte{3}}, [32]byte{4}
}

func TestPassword_EveryInputCounts(t *testing.T) {
	secret, n, transcript := sample()
	first := Password(secret, &n, &transcript)
	if again := Password(secret, &n, &transcript); again != first {
		t.Error("not the same twice")
	}
	changes := map[string]func(){
		"secret": func() { secret[255]++ }, "client nonce": func() { n.Client[31]++ }, "server nonce": func() { n.Server[31]++ },
		"transcript": func() { transcript[31]++ }, "nonces exchanged": func() { n.Client, n.Server = n.Server, n.Client },
	}
	for name, change := range changes {
		secret, n, transcript = sample()
		change()
		k := Password(secret, &n, &transcript)
		if k.ToServer == first.ToServer || k.ToClient == first.ToClient || k.Session == first.Session || k.Proof == first.Proof {
			t.Errorf("%s does not count", name)
		}
	}
}

func TestKeys_AllDiffer(t *testing.T) {
	secret, n, transcript := sample()
	k := Password(secret, &n, &transcript)
	family := [32]byte(secret)
	token := Token(&family, (*[96]byte)(secret), &n, &transcript)
	knock := Knock{World: 1, Pass: [16]byte{1}, Nonces: n}
	pass := PassKey(&k.Session, 1, &knock.Pass)
	toServer, toClient := knock.Channel(&pass, &transcript)
	seen := map[[32]byte]int{}
	for i, key := range [][32]byte{
		k.ToServer, k.ToClient, k.Session, k.Proof, token.ToServer, token.ToClient, token.Session, token.Proof,
		TokenKey(&family, &n), pass, knock.ClientProof(&pass), knock.GateProof(&pass), toServer, toClient,
	} {
		if other, ok := seen[key]; ok {
			t.Errorf("keys %d and %d are one", other, i)
		}
		seen[key] = i
	}
}

func TestToken_IsPasswordOfAllFour(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ikm := rapid.SliceOfN(rapid.Byte(), 128, 128).Draw(rt, "ikm")
		_, n, transcript := sample()
		key, p := [32]byte(ikm), [96]byte(ikm[32:])
		if Token(&key, &p, &n, &transcript) != Password(ikm, &n, &transcript) {
			rt.Fatal("they differ")
		}
	})
}

func TestPassKey_BelongsToOneWorldAndPass(t *testing.T) {
	seen := map[[32]byte]bool{}
	for session := range byte(3) {
		for world := range uint8(3) {
			for pass := range byte(3) {
				seen[PassKey(&[32]byte{session}, world, &[16]byte{15: pass})] = true
			}
		}
	}
	if len(seen) != 27 {
		t.Errorf("%d keys", len(seen))
	}
}

func TestKnock_EveryInputCounts(t *testing.T) {
	whole := Knock{World: 7, Pass: [16]byte{1}, Nonces: Nonces{Client: [32]byte{2}, Server: [32]byte{3}}}
	key, transcript := [32]byte{5}, [32]byte{6}
	client, gate := whole.ClientProof(&key), whole.GateProof(&key)
	toServer, toClient := whole.Channel(&key, &transcript)
	for name, change := range map[string]func(*Knock, *[32]byte){
		"world": func(k *Knock, _ *[32]byte) { k.World++ }, "pass": func(k *Knock, _ *[32]byte) { k.Pass[15]++ },
		"client nonce": func(k *Knock, _ *[32]byte) { k.Client[0]++ }, "gate nonce": func(k *Knock, _ *[32]byte) { k.Server[0]++ },
		"key": func(_ *Knock, key *[32]byte) { key[0]++ },
	} {
		k, other := whole, key
		change(&k, &other)
		if k.ClientProof(&other) == client || k.GateProof(&other) == gate {
			t.Errorf("%s does not count in the proofs", name)
		}
		s, c := k.Channel(&other, &transcript)
		// World and pass are in the key and in the transcript already.
		if inKey := name == "world" || name == "pass"; (s == toServer || c == toClient) != inKey {
			t.Errorf("%s in the channel keys", name)
		}
	}
	if s, c := whole.Channel(&key, &[32]byte{7}); s == toServer || c == toClient {
		t.Error("the transcript does not count")
	}
}

func TestKeys_ShowNothing(t *testing.T) {
	secret, n, transcript := sample()
	k := Password(secret, &n, &transcript)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		if s := fmt.Sprintf(verb, k) + fmt.Sprintf(verb, &k); s != "keyskeys" {
			t.Errorf("%s shows %s", verb, s)
		}
	}
	if b, err := json.Marshal(&k); err != nil || string(b) != `"keys"` {
		t.Errorf("JSON: %s, %v", b, err)
	}
	if k.Wipe(); k != (Keys{}) {
		t.Error("a key is left")
	}
}

// TestLabels_NoneStartsAnother: no label may be the start of another, because no delimiter
// follows it.
func TestLabels_NoneStartsAnother(t *testing.T) {
	labels := []string{
		labelToServer, labelToClient, labelSession, labelServerProof, labelTokenProof, labelPass, labelGateClient, labelGateServer,
	}
	for i, a := range labels {
		for j, b := range labels {
			if i != j && strings.HasPrefix(b, a) {
				t.Errorf("%q starts with %q", b, a)
			}
		}
	}
}

func BenchmarkPassword(b *testing.B) {
	secret, n, transcript := sample()
	b.ReportAllocs()
	for b.Loop() {
		if k := Password(secret, &n, &transcript); k.ToServer == k.ToClient {
			b.Fatal("one key")
		}
	}
}

func BenchmarkToken(b *testing.B) {
	secret, n, transcript := sample()
	key, p := [32]byte(secret), [96]byte(secret)
	b.ReportAllocs()
	for b.Loop() {
		if k := Token(&key, &p, &n, &transcript); k.ToServer == k.ToClient {
			b.Fatal("one key")
		}
	}
}
