package e2e

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatepass/auth/srp6"
)

// transcript is a recorded login, from the golden bytes of codec/grunt.
type transcript struct {
	ID      string
	Title   string
	Build   uint16
	Secrets struct{ User, Password, Salt, V, A string }
	Steps   []struct{ Direction, Hex string }
}

// TestTranscripts replays the client's side of recorded logins, byte for byte,
// with the recorded account and the client's recorded secret. The server must
// say what the recorded one said but for B, which it draws itself, and for M2,
// which hangs on it.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	logins := passwordLogins(t)
	data := filepath.Join(t.TempDir(), "data")
	if out, err := account(data, "", "import", writeFile(t, "players.csv", asCSV(logins))); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	g := start(t, setup{data: data})
	for _, l := range logins {
		t.Run(l.ID, func(t *testing.T) {
			t.Log(l.Title)
			l.replay(t, g)
		})
	}
}

// passwordLogins are the transcripts of full logins without second factors.
func passwordLogins(t *testing.T) (logins []transcript) {
	f, err := os.Open("../codec/grunt/testdata/derived_transcripts.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l transcript
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		full := l.Secrets.A != "" && strings.HasSuffix(l.Steps[2].Hex, "0000")
		if full && len(l.Steps[1].Hex) == 2*119 {
			logins = append(logins, l)
		}
	}
	if len(logins) < 5 {
		t.Fatalf("%d password logins in the transcripts", len(logins))
	}
	return logins
}

// asCSV is an account database as other servers keep it.
func asCSV(logins []transcript) string {
	var b strings.Builder
	b.WriteString("username,salt,verifier\n")
	for _, l := range logins {
		b.WriteString(l.Secrets.User + "," + l.Secrets.Salt + "," + l.Secrets.V + "\n")
	}
	return b.String()
}

func (l *transcript) replay(t *testing.T, g *gatepass) {
	c := dial(t, g.grunt, l.edition(t))
	c.send(unhex(t, l.Steps[0].Hex))
	recorded := unhex(t, l.Steps[1].Hex)
	challenge := c.receive(len(recorded))
	B := srp6.PublicKey(challenge[3:35])
	copy(recorded[3:35], B[:])
	if !bytes.Equal(challenge, recorded) {
		t.Errorf("challenge\n got % x\nwant % x", challenge, recorded)
	}

	proof, reply := unhex(t, l.Steps[2].Hex), unhex(t, l.Steps[3].Hex)
	secret := [32]byte(unhex(t, l.Secrets.A))
	password := l.Secrets.Password
	if wrong := reply[1] != 0; wrong {
		password += "?"
	}
	s := srp6.NewClient(l.Secrets.User, password, &secret)
	salt := srp6.Salt(recorded[70:102])
	m1, err := s.Respond(&B, &salt)
	if A := s.PublicKey(); err != nil || !bytes.Equal(proof[1:33], A[:]) {
		t.Fatalf("A is % x, recorded % x (%v)", A, proof[1:33], err)
	}
	copy(proof[33:53], m1[:])
	c.send(proof)
	if reply[1] != 0 {
		c.expect(reply)
		c.expectClosed()
		return
	}
	got := c.receive(len(reply))
	m2 := srp6.Proof(got[2:22])
	if s.CheckServer(&m2) != nil {
		t.Error("the server does not prove itself")
	}
	copy(reply[2:22], m2[:])
	if !bytes.Equal(got, reply) {
		t.Errorf("answer to the proof\n got % x\nwant % x", got, reply)
	}
	c.send(unhex(t, l.Steps[4].Hex))
	c.expect([]byte(c.demoList()))
}

func (l *transcript) edition(t *testing.T) edition {
	for _, e := range editions {
		if e.build == l.Build {
			return e
		}
	}
	t.Fatalf("no edition of build %d", l.Build)
	return edition{}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// writeFile makes a file in a folder of its own.
func writeFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
