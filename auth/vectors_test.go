package auth

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// row is one line of a vector file, or one object, by column name.
type row map[string]string

// mustReadTSV reads a vector file of testdata and fails when it has no rows.
func mustReadTSV(t testing.TB, name string) (rows []row) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var columns []string
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

// number returns a column's decimal value.
func (r row) number(t testing.TB, column string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(r[column], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// pin returns a row's PIN exchange; the prefixes are those of its columns.
func (r row) pin(t testing.TB, seed, server, client string) *PINExchange {
	t.Helper()
	return &PINExchange{
		Seed:       uint32(r.number(t, seed)),
		ServerSalt: [16]byte(r.hex(t, server)),
		ClientSalt: [16]byte(r.hex(t, client)),
	}
}

// refuses checks that a proof is accepted and that each proof with one bit changed is not.
func refuses(t testing.TB, want error, proof [20]byte, verify func(proof *[20]byte) error) {
	t.Helper()
	if err := verify(&proof); err != nil {
		t.Fatalf("right proof: %v", err)
	}
	for bit := range 8 * len(proof) {
		changed := proof
		changed[bit/8] ^= 1 << (bit % 8)
		if err := verify(&changed); !errors.Is(err, want) {
			t.Fatalf("bit %d changed: %v", bit, err)
		}
	}
}

func TestVectors_PINGrid(t *testing.T) {
	for _, r := range mustReadTSV(t, "pin_grid.tsv") {
		grid := NewPINGrid(uint32(r.number(t, "seed")))
		if got := gridText(grid); got != r["grid"] {
			t.Errorf("seed %s: %s, want %s", r["seed"], got, r["grid"])
		}
	}
}

func gridText(g PINGrid) string {
	for i := range g {
		g[i] += '0'
	}
	return string(g[:])
}

func TestVectors_PINPlaces(t *testing.T) {
	for _, r := range mustReadTSV(t, "pin_digits_to_places.tsv") {
		var grid PINGrid
		for i := range grid {
			grid[i] = r["grid"][i] - '0'
		}
		places, n, err := grid.places(r["pin"])
		if err != nil || string(places[:n]) != r["places"] {
			t.Errorf("%v: %s, %v", r, places[:n], err)
		}
	}
}

func TestVectors_PINProof(t *testing.T) {
	rows := mustReadTSV(t, "pin_proof.tsv")
	for i, r := range rows {
		x, proof := r.pin(t, "seed", "server_salt", "client_salt"), [20]byte(r.hex(t, "hash"))
		if err := x.Verify(r["pin"], &proof); err != nil {
			t.Fatalf("%v: %v", r, err)
		}
		other := rows[(i+1)%len(rows)]
		if err := x.Verify(other["pin"], &proof); other["pin"] != r["pin"] && !errors.Is(err, ErrFactor) {
			t.Fatalf("PIN of another row fits: %v", err)
		}
	}
}

func TestVectors_TOTP(t *testing.T) {
	for _, r := range mustReadTSV(t, "totp.tsv") {
		checkTOTP(t, r["secret_base32"], int64(r.number(t, "unix_time")), r["code6"])
	}
}

func checkTOTP(t testing.TB, secret string, unix int64, code string) {
	t.Helper()
	s, err := ParseTOTPSecret(secret)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(unix, 0)
	if got := s.Code(TOTPStep(at)); got != code {
		t.Errorf("%s at %d: %s, want %s", secret, unix, got, code)
	}
	if step, err := s.Verify(code, at); err != nil || step != TOTPStep(at) {
		t.Errorf("%s at %d: step %d, %v", code, unix, step, err)
	}
}

// mustReadShared reads a file of JSON objects from the folder of the SRP6 vectors.
func mustReadShared[T any](t testing.TB, name string) (all []T) {
	t.Helper()
	file, err := os.Open(filepath.Join("srp6", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for d := json.NewDecoder(file); d.More(); {
		var one T
		if err := d.Decode(&one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	return all
}

// take adds the values of an object as text, with a prefix.
func (r row) take(prefix string, object map[string]json.RawMessage) {
	for key, value := range object {
		r[prefix+key] = strings.Trim(string(value), `"`)
	}
}

// TestVectors_Named checks values from real clients.
func TestVectors_Named(t *testing.T) {
	type named struct {
		ID, Kind      string
		Given, Expect map[string]json.RawMessage
	}
	checks := map[string]func(t *testing.T, r row){
		"pin": checkNamedPIN,
	}
	done := 0
	for _, n := range mustReadShared[named](t, "named_cases.jsonl") {
		if check, ok := checks[n.Kind]; ok {
			r := row{}
			r.take("", n.Given)
			r.take("", n.Expect)
			t.Run(n.ID, func(t *testing.T) { check(t, r) })
			done++
		}
	}
	if done != 2 {
		t.Errorf("%d named cases were for this package, expected 2", done)
	}
}

func checkNamedPIN(t *testing.T, r row) {
	x := r.pin(t, "seed", "server_salt", "client_salt")
	refuses(t, ErrFactor, [20]byte(r.hex(t, "hash")), func(proof *[20]byte) error { return x.Verify(r["pin"], proof) })
}

// TestVectors_Transcripts checks the second factors of whole logins.
func TestVectors_Transcripts(t *testing.T) {
	type recording struct {
		ID      string
		Secrets map[string]json.RawMessage
		Steps   []struct {
			Direction, Message string
			Fields             map[string]json.RawMessage
		}
	}
	checked := map[string]int{}
	for _, recorded := range mustReadShared[recording](t, "derived_transcripts.jsonl") {
		r := row{}
		r.take("secret ", recorded.Secrets)
		for _, step := range recorded.Steps {
			r.take(step.Direction+" ", step.Fields)
		}
		t.Run(recorded.ID, func(t *testing.T) { checkTranscript(t, r, checked) })
	}
	if checked["pin"] == 0 || checked["totp"] == 0 {
		t.Errorf("some factor was never met: %v", checked)
	}
}

func checkTranscript(t *testing.T, r row, checked map[string]int) {
	const server, client = "server->client ", "client->server "
	if r["secret pin"] != "" {
		x := r.pin(t, server+"pin_grid_seed", server+"pin_salt", client+"pin_salt")
		proof := [20]byte(r.hex(t, client+"pin_hash"))
		refuses(t, ErrFactor, proof, func(p *[20]byte) error { return x.Verify(r["secret pin"], p) })
		checked["pin"]++
		if r["secret totp_secret_base32"] != "" {
			checkTOTPAsPIN(t, r, x, &proof)
		}
	}
	if r["secret totp_secret_base32"] != "" && r["secret pin"] == "" {
		checkTOTP(t, r["secret totp_secret_base32"], int64(r.number(t, "secret unix_time")), r[client+"authenticator"])
		checked["totp"]++
	}
}

func checkTOTPAsPIN(t *testing.T, r row, x *PINExchange, proof *[20]byte) {
	s, err := ParseTOTPSecret(r["secret totp_secret_base32"])
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(int64(r.number(t, "secret unix_time")), 0)
	if step, err := s.VerifyPIN(x, proof, now); err != nil || step != TOTPStep(now) {
		t.Errorf("step %d, %v", step, err)
	}
	if _, err := s.VerifyPIN(x, proof, now.Add(90*time.Second)); !errors.Is(err, ErrFactor) {
		t.Errorf("three steps later: %v", err)
	}
}
