package srp6a

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write testdata anew")

// vectorFile is for other implementations too; testdata/README.md describes it.
const vectorFile = "testdata/exchanges.json"

// vector is one exchange. Numbers are big-endian with the length of N, except k, x, u, a and
// b, which have 32 bytes.
type vector struct {
	Group    Group  `json:"group"`
	Name     string `json:"name"`
	Password string `json:"password"`
	Salt     string `json:"salt"`
	KDF      struct {
		MemoryKiB uint32 `json:"memory_kib"`
		Passes    uint32 `json:"passes"`
		Lanes     uint32 `json:"lanes"`
	} `json:"argon2id"`
	SecretA  string `json:"a"`
	SecretB  string `json:"b"`
	K        string `json:"k"`
	X        string `json:"x"`
	V        string `json:"v"`
	A        string `json:"A"`
	B        string `json:"B"`
	U        string `json:"u"`
	S        string `json:"S"`
	Key      string `json:"K"`
	M1       string `json:"M1"`
	M2       string `json:"M2"`
	Verifier string `json:"stored_verifier"`
}

// inputs returns the input values of the vectors.
func inputs() (vs []vector) {
	for i, c := range groups {
		v := vector{Group: c.group, Name: []string{"ALICE", "B", "NAME_OF_16_BYTES"}[i]}
		v.Password = []string{"password123", "Pässword mit Leerzeichen", "CaseCounts"}[i]
		kdf := []KDF{MinKDF(), {16 << 10, 2, 1}, {8 << 10, 1, 4}}[i]
		v.KDF.MemoryKiB, v.KDF.Passes, v.KDF.Lanes = kdf.MemoryKiB, kdf.Passes, kdf.Lanes
		for label, field := range map[string]*string{"salt": &v.Salt, "a": &v.SecretA, "b": &v.SecretB} {
			sum := sha256.Sum256([]byte(label + c.group.String()))
			*field = hex.EncodeToString(sum[:])
		}
		vs = append(vs, v)
	}
	return vs
}

// mustFill computes the other values from a vector's inputs, with the code under test.
func mustFill(t *testing.T, v *vector) {
	t.Helper()
	q := v.Group.suite()
	salt, a, b := [32]byte(mustHex(t, v.Salt)), [32]byte(mustHex(t, v.SecretA)), [32]byte(mustHex(t, v.SecretB))
	params := Params{v.Group, KDF{v.KDF.MemoryKiB, v.KDF.Passes, v.KDF.Lanes}}
	s := Server{Name: v.Name, Verifier: NewVerifier(params, &salt, v.Name, v.Password)}
	s.Challenge(&b)
	id := NewIdentity(v.Name, v.Password)
	client := NewClient(id, &a)
	A, m1, err := client.Respond(&Challenge{params, salt, s.B})
	if err != nil {
		t.Fatal(err)
	}
	secret, m2, err := s.Verify(A, &m1)
	if err != nil || client.CheckServer(&m2) != nil {
		t.Fatal(err)
	}
	k := q.k.Bytes(q.modulus)
	for field, b := range map[*string][]byte{
		&v.K: k[len(k)-32:], &v.X: id.x[:], &v.V: s.Verifier.V, &v.A: A, &v.B: s.B, &v.U: q.scrambler(A, s.B),
		&v.S: secret, &v.Key: q.sum(secret), &v.M1: m1[:], &v.M2: m2[:], &v.Verifier: s.Verifier.Append(nil),
	} {
		*field = hex.EncodeToString(b)
	}
}

func TestVectors(t *testing.T) {
	vs := inputs()
	for i := range vs {
		mustFill(t, &vs[i])
	}
	got, err := json.MarshalIndent(vs, "", "  ")
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

// TestVectors_SecondImplementation checks the published vectors with the second
// implementation.
func TestVectors_SecondImplementation(t *testing.T) {
	var vs []vector
	b, err := os.ReadFile(vectorFile)
	if err == nil {
		err = json.Unmarshal(b, &vs)
	}
	if err != nil || len(vs) != len(groups) {
		t.Fatal(len(vs), err)
	}
	for i, v := range vs {
		s := newBig(groups[i].prime, groups[i].g, sha256.New)
		e := s.run(v.Name, mustHex(t, v.Salt), mustHex(t, v.X), mustHex(t, v.SecretA), mustHex(t, v.SecretB))
		for name, c := range map[string]struct {
			got  []byte
			want string
		}{
			"k": {e.k.FillBytes(make([]byte, 32)), v.K}, "v": {s.pad(e.v), v.V}, "A": {s.pad(e.A), v.A}, "B": {s.pad(e.B), v.B},
			"u": {e.u.FillBytes(make([]byte, 32)), v.U}, "S": {s.pad(e.client), v.S}, "K": {e.K, v.Key}, "M1": {e.M1, v.M1}, "M2": {e.M2, v.M2},
		} {
			if !bytes.Equal(c.got, mustHex(t, c.want)) {
				t.Errorf("%v: %s is %x", v.Group, name, c.got)
			}
		}
	}
}
