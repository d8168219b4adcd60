package srp6

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// mustReadJSONL reads a file of JSON objects, one a line.
func mustReadJSONL[T any](t testing.TB, name string) (all []T) {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", name))
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
func (r row) take(prefix string, object map[string]any) {
	for key, value := range object {
		r[prefix+key] = fmt.Sprint(value)
	}
}

// TestVectors_Transcripts checks the secrets and the proofs of whole logins.
func TestVectors_Transcripts(t *testing.T) {
	type recording struct {
		ID      string
		Secrets map[string]any
		Steps   []struct {
			Direction, Message string
			Fields             map[string]any
		}
	}
	for _, recorded := range mustReadJSONL[recording](t, "derived_transcripts.jsonl") {
		r := row{}
		r.take("", recorded.Secrets)
		for _, step := range recorded.Steps {
			r.take(step.Message+" "+step.Direction+" ", step.Fields)
		}
		t.Run(recorded.ID, func(t *testing.T) {
			if r["a"] == "" {
				checkReconnectTranscript(t, r)
				return
			}
			eachBackend(t, func(t *testing.T, f backend) { checkLoginTranscript(t, f, r) })
		})
	}
}

// The row's column for each field of a transcript.
const (
	challenge   = "AUTH_LOGON_CHALLENGE server->client "
	proof       = "AUTH_LOGON_PROOF client->server "
	answer      = "AUTH_LOGON_PROOF server->client "
	rechallenge = "AUTH_RECONNECT_CHALLENGE server->client "
	reproof     = "AUTH_RECONNECT_PROOF client->server "
)

// checkLoginTranscript verifies the recorded proof. The result must equal the recorded
// server's answer.
func checkLoginTranscript(t *testing.T, f backend, r row) {
	x := Exchange{Name: name16(r["user"]), Salt: r.number(t, challenge+"salt"), A: r.number(t, proof+"A")}
	x.Verifier = NewVerifier(&x.Salt, r["user"], r["password"])
	r.want(t, "v", x.Verifier[:])
	k := serverKey(f, &x, r.hex(t, "b"))
	r.want(t, challenge+"B", x.B[:])
	x.M1 = Proof(r.hex(t, proof+"M1"))
	verified, m2, err := verify(f, r.hex(t, "b"), &x)
	if r[answer+"result"] != "0" {
		if !errors.Is(err, ErrProof) {
			t.Errorf("recorded as refused, got %v", err)
		}
		return
	}
	if err != nil || verified != k {
		t.Fatal(err)
	}
	r.want(t, "K", k[:])
	r.want(t, answer+"M2", m2[:])
}

func checkReconnectTranscript(t *testing.T, r row) {
	r1, challenge := [16]byte(r.hex(t, reproof+"proof_data")), [16]byte(r.hex(t, rechallenge+"challenge_data"))
	k := r.key(t)
	p, c := ReconnectProof([]byte(r["user"]), &r1, &challenge, &k), ReconnectChecksum(&r1)
	r.want(t, reproof+"client_proof", p[:])
	r.want(t, reproof+"client_checksum", c[:])
}

// TestVectors_Named checks single known-good values, most of them from real clients.
func TestVectors_Named(t *testing.T) {
	type named struct {
		ID, Kind      string
		Given, Expect map[string]any
	}
	checks := map[string]func(t *testing.T, r row){
		"srp_server":      checkNamedServer,
		"verifier":        checkNamedVerifier,
		"client_proof":    func(t *testing.T, r row) { m := clientProofOf(t, r); r.want(t, "M1", m[:]) },
		"reconnect_proof": func(t *testing.T, r row) { checkReconnect(t, r) },
		"xor_hash":        func(t *testing.T, r row) { g := groupHash(); r.want(t, "xor_hash", g[:]) },
	}
	done := 0
	for _, n := range mustReadJSONL[named](t, "named_cases.jsonl") {
		check, ok := checks[n.Kind]
		if !ok {
			continue // of another package
		}
		r := row{}
		r.take("", n.Given)
		r.take("", n.Expect)
		t.Run(n.ID, func(t *testing.T) { check(t, r) })
		done++
	}
	if done != 6 {
		t.Errorf("%d named cases were for this package, expected 6", done)
	}
}

func checkNamedVerifier(t *testing.T, r row) {
	salt := Salt(r.number(t, "salt"))
	v := NewVerifier(&salt, r["user"], r["password"])
	r.want(t, "v", v[:])
}

func checkNamedServer(t *testing.T, r row) {
	x := Exchange{Name: name16(r["user"]), Salt: r.number(t, "salt"), A: r.number(t, "A"), Verifier: r.number(t, "v")}
	if r["password"] != "" {
		checkNamedVerifier(t, r)
	}
	k := serverKey(native, &x, r.hex(t, "b"))
	r.want(t, "B", x.B[:])
	r.want(t, "K", k[:])
	x.M1 = Proof(r.hex(t, "M1"))
	_, m2, err := verify(native, r.hex(t, "b"), &x)
	if err != nil {
		t.Fatal(err)
	}
	r.want(t, "M2", m2[:])
}
