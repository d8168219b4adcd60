package srp6

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// row is one line of a vector file, by column name.
type row map[string]string

// mustReadTSV reads a vector file of testdata and fails when it has no rows.
func mustReadTSV(t testing.TB, name string) []row {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var columns []string
	var rows []row
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if list, ok := strings.CutPrefix(line, "# columns (tab separated): "); ok {
			columns = strings.Split(list, "  ")
		}
		if strings.HasPrefix(line, "#") || line == "" {
			continue
		}
		r := row{}
		for i, value := range strings.Split(line, "\t") {
			r[columns[i]] = value
		}
		rows = append(rows, r)
	}
	if len(rows) == 0 {
		t.Fatalf("%s: no rows", name)
	}
	return rows
}

// hex returns a column's bytes.
func (r row) hex(t testing.TB, column string) []byte {
	t.Helper()
	b, err := hex.DecodeString(r[column])
	if err != nil || r[column] == "" {
		t.Fatalf("column %s: %q: %v", column, r[column], err)
	}
	return b
}

// number returns a column of 32 bytes.
func (r row) number(t testing.TB, column string) (n [32]byte) {
	t.Helper()
	if copy(n[:], r.hex(t, column)) != 32 {
		t.Fatalf("column %s: %q", column, r[column])
	}
	return n
}

// want compares a column with a computed value.
func (r row) want(t testing.TB, column string, got []byte) {
	t.Helper()
	if want := r.hex(t, column); !bytes.Equal(got, want) {
		t.Fatalf("%s: got %x, want %x, row %v", column, got, want, r)
	}
}

// key returns column K.
func (r row) key(t testing.TB) SessionKey { return SessionKey(r.hex(t, "K")) }

func name16(s string) (b [MaxName]byte) {
	copy(b[:], s)
	return b
}

// eachRow runs check on every row of a file, through every backend.
func eachRow(t *testing.T, file string, check func(t *testing.T, f backend, r row)) {
	t.Helper()
	rows := mustReadTSV(t, file)
	eachBackend(t, func(t *testing.T, f backend) {
		for _, r := range rows {
			check(t, f, r)
		}
	})
}

// serverKey computes the server's side from A, b and v to K.
func serverKey(f backend, x *Exchange, b []byte) SessionKey {
	power := plainPower(f, b)
	x.B = publicKey(&power, &x.Verifier)
	u := scrambler(&x.A, &x.B)
	s := serverSecret(f, x, u[:], b)
	return interleave(&s)
}

func TestVectors_X(t *testing.T) {
	for _, r := range mustReadTSV(t, "x.tsv") {
		salt, h := Salt(r.number(t, "salt")), passwordHash(r["user"], r["password"])
		x := privateKey(&salt, &h)
		r.want(t, "x", x[:])
	}
}

func TestVectors_Verifier(t *testing.T) {
	eachRow(t, "verifier.tsv", func(t *testing.T, f backend, r row) {
		salt, h := Salt(r.number(t, "salt")), passwordHash(r["user"], r["password"])
		v := newVerifier(f, &salt, &h)
		r.want(t, "v", v[:])
		if public := NewVerifier(&salt, r["user"], r["password"]); public != v || !v.Valid() {
			t.Fatalf("NewVerifier gives another verifier than its hash, or Valid denies it: %v", r)
		}
	})
}

func TestVectors_CaseFolding(t *testing.T) {
	for _, r := range mustReadTSV(t, "derived_case_folding.tsv") {
		if Upper(r["typed_user"]) != r["user"] || Upper(r["typed_password"]) != r["password"] {
			t.Errorf("%v", r)
		}
		h := passwordHash(r["typed_user"], r["typed_password"])
		r.want(t, "sha1_user_pass", h[:])
		salt := Salt(r.number(t, "salt"))
		x := privateKey(&salt, &h)
		r.want(t, "x", x[:])
		v := NewVerifier(&salt, r["typed_user"], r["typed_password"])
		r.want(t, "v", v[:])
	}
}

func TestVectors_MangosAccountColumns(t *testing.T) {
	for _, r := range mustReadTSV(t, "derived_mangos_account_columns.tsv") {
		salt := Salt(r.number(t, "salt"))
		v := NewVerifierFromHash(&salt, (*[20]byte)(r.hex(t, "sha_pass_hash")))
		r.want(t, "v", v[:])
	}
}

func TestVectors_ClientPublicKey(t *testing.T) {
	eachRow(t, "client_public_key_A.tsv", func(t *testing.T, f backend, r row) {
		power := plainPower(f, r.hex(t, "a"))
		a := power.bytes()
		r.want(t, "A", a[:])
		secret := r.number(t, "a")
		if c := NewClient("X", "X", &secret); c.PublicKey() != a {
			t.Fatalf("client has another A: %v", r)
		}
	})
}

func TestVectors_ServerPublicKey(t *testing.T) {
	eachRow(t, "server_public_key_B.tsv", func(t *testing.T, f backend, r row) {
		power, v := plainPower(f, r.hex(t, "b")), Verifier(r.number(t, "v"))
		b := publicKey(&power, &v)
		r.want(t, "B", b[:])
	})
}

func TestVectors_Scrambler(t *testing.T) {
	for _, r := range mustReadTSV(t, "scrambler_u.tsv") {
		a, b := PublicKey(r.number(t, "A")), PublicKey(r.number(t, "B"))
		u := scrambler(&a, &b)
		r.want(t, "u", u[:])
	}
}

func TestVectors_ServerSecret(t *testing.T) {
	for _, file := range []string{"server_S.tsv", "server_S_wide_u.tsv"} {
		eachRow(t, file, func(t *testing.T, f backend, r row) {
			x := Exchange{A: r.number(t, "A"), Verifier: r.number(t, "v")}
			s := serverSecret(f, &x, r.hex(t, "u"), r.hex(t, "b"))
			r.want(t, "S", s[:])
		})
	}
}

func TestVectors_ClientSecret(t *testing.T) {
	eachRow(t, "client_S.tsv", func(t *testing.T, f backend, r row) {
		b, a := PublicKey(r.number(t, "B")), r.number(t, "a")
		x, u := [20]byte(r.hex(t, "x")), [20]byte(r.hex(t, "u"))
		power := plainPower(f, x[:])
		s := clientSecret(f, clientTerms{b: &b, a: &a, x: &x, power: &power, u: &u})
		r.want(t, "S", s[:])
	})
}

func TestVectors_Interleave(t *testing.T) {
	for _, r := range mustReadTSV(t, "interleave_S_to_K.tsv") {
		s := r.number(t, "S")
		k := interleave(&s)
		r.want(t, "K", k[:])
	}
	for _, r := range mustReadTSV(t, "derived_interleave_edge.tsv") {
		s := r.number(t, "S")
		k := interleave(&s)
		r.want(t, "K_rfc2945", k[:])
	}
}

func TestVectors_SessionKey(t *testing.T) {
	eachRow(t, "session_key.tsv", func(t *testing.T, f backend, r row) {
		x := Exchange{A: r.number(t, "A"), Verifier: r.number(t, "v")}
		k := serverKey(f, &x, r.hex(t, "b"))
		r.want(t, "K", k[:])
	})
}

func TestVectors_ClientProof(t *testing.T) {
	for _, r := range mustReadTSV(t, "client_proof_M1.tsv") {
		m := clientProofOf(t, r)
		r.want(t, "M1", m[:])
	}
}

func clientProofOf(t testing.TB, r row) Proof {
	t.Helper()
	salt, a, b, k := Salt(r.number(t, "salt")), PublicKey(r.number(t, "A")), PublicKey(r.number(t, "B")), r.key(t)
	name := name16(r["user"])
	made := transcript{user: nameHash(&name), salt: &salt, a: &a, b: &b}
	return made.clientProof(&k)
}

func TestVectors_ServerProof(t *testing.T) {
	for _, r := range mustReadTSV(t, "server_proof_M2.tsv") {
		a, m1, k := PublicKey(r.number(t, "A")), Proof(r.hex(t, "M1")), r.key(t)
		m := serverProof(&a, &m1, &k)
		r.want(t, "M2", m[:])
	}
}

func TestVectors_ReconnectProof(t *testing.T) {
	for _, r := range mustReadTSV(t, "reconnect_proof.tsv") {
		checkReconnect(t, r)
	}
}

func checkReconnect(t testing.TB, r row) {
	t.Helper()
	k := r.key(t)
	client, server := [16]byte(r.hex(t, "client_data")), [16]byte(r.hex(t, "server_data"))
	p := ReconnectProof([]byte(r["user"]), &client, &server, &k)
	r.want(t, "proof", p[:])
}

func TestVectors_ReconnectChecksum(t *testing.T) {
	for _, r := range mustReadTSV(t, "crc_hash_reconnect.tsv") {
		r1 := [16]byte(r.hex(t, "proof_data"))
		c := ReconnectChecksum(&r1)
		r.want(t, "client_checksum", c[:])
		r1[0] ^= 1
		if ReconnectChecksum(&r1) == c {
			t.Fatalf("%v: other data have the same checksum", r)
		}
	}
}

// TestVectors_XorHash computes the value for every group of the file as a reference, and
// compares the package's constant with it.
func TestVectors_XorHash(t *testing.T) {
	reference := func(n []byte, g byte) (x [20]byte) {
		hn, hg := sha1.Sum(n), sha1.Sum([]byte{g})
		for i := range x {
			x[i] = hn[i] ^ hg[i]
		}
		return x
	}
	for _, r := range mustReadTSV(t, "xor_hash.tsv") {
		g, err := strconv.Atoi(r["g"])
		if err != nil {
			t.Fatal(err)
		}
		x := reference(r.hex(t, "N"), byte(g))
		r.want(t, "xor_hash", x[:])
	}
	n := modulus()
	if groupHash() != reference(n[:], Generator) {
		t.Error("groupHash differs from the reference")
	}
}

func TestVectors_PublicKeyCheck(t *testing.T) {
	for _, r := range mustReadTSV(t, "derived_public_key_check.tsv") {
		p := PublicKey(r.number(t, "value"))
		if refused := p.isZero(); refused != (r["verdict"] == "reject") {
			t.Errorf("%v: refused %v", r, refused)
		}
	}
}

// TestVectors_FullExchange runs both sides of whole logins, including edge cases.
func TestVectors_FullExchange(t *testing.T) {
	eachRow(t, "derived_full_exchange.tsv", func(t *testing.T, f backend, r row) { checkExchange(t, f, r) })
}

func checkExchange(t testing.TB, f backend, r row) {
	t.Helper()
	x := Exchange{Name: name16(r["user"]), Salt: r.number(t, "salt")}
	x.Verifier = NewVerifier(&x.Salt, r["user"], r["password"])
	r.want(t, "v", x.Verifier[:])
	secret := r.number(t, "a")
	c := NewClient(r["user"], r["password"], &secret)
	x.A = c.PublicKey()
	r.want(t, "A", x.A[:])
	b := r.hex(t, "b")
	k := serverKey(f, &x, b)
	r.want(t, "B", x.B[:])
	r.want(t, "K", k[:])
	m1, err := c.Respond(&x.B, &x.Salt)
	if err != nil {
		t.Fatal(err)
	}
	r.want(t, "M1", m1[:])
	x.M1 = m1
	verified, m2, err := verify(f, b, &x)
	if err != nil || verified != k || c.SessionKey() != k {
		t.Fatalf("verify: %v, keys equal: %v %v, row %v", err, verified == k, c.SessionKey() == k, r)
	}
	r.want(t, "M2", m2[:])
	if err := c.CheckServer(&m2); err != nil {
		t.Fatal(err)
	}
}
