package keyschedule

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write testdata anew")

const vectorFile = "testdata/keys.json"

// vectors has one sign-in of each kind and one pass; testdata/README.md describes them.
type vectors struct {
	ClientNonce string   `json:"client_nonce"`
	ServerNonce string   `json:"server_nonce"`
	Transcript  string   `json:"transcript"`
	Password    password `json:"password"`
	Token       token    `json:"token"`
	Gate        gate     `json:"gate"`
}

type drawn struct {
	ToServer    string `json:"to_server"`
	ToClient    string `json:"to_client"`
	Session     string `json:"session"`
	ServerProof string `json:"server_proof"`
}

type password struct {
	Secret string `json:"secret"`
	drawn
}

type token struct {
	Key       string `json:"key"`
	Plaintext string `json:"secret_fallback_next"`
	ProofKey  string `json:"token_proof_key"`
	drawn
}

type gate struct {
	Session     string `json:"session"`
	World       uint8  `json:"world"`
	Pass        string `json:"pass"`
	GateNonce   string `json:"gate_nonce"`
	PassKey     string `json:"pass_key"`
	ClientProof string `json:"client_proof"`
	GateProof   string `json:"gate_proof"`
	ToServer    string `json:"to_server"`
	ToClient    string `json:"to_client"`
}

// text returns a value of the vectors: n bytes that depend only on the label.
func text(label string, n int) string {
	var b []byte
	for i := byte(0); len(b) < n; i++ {
		sum := sha256.Sum256(append([]byte(label), i))
		b = append(b, sum[:]...)
	}
	return hex.EncodeToString(b[:n])
}

// mustVectors derives all values with the code under test.
func mustVectors(t *testing.T) *vectors {
	t.Helper()
	v := &vectors{ClientNonce: text("client nonce", 32), ServerNonce: text("server nonce", 32), Transcript: text("transcript", 32)}
	bytes32 := func(s string) *[32]byte { return (*[32]byte)(mustHex(t, s)) }
	n := Nonces{Client: *bytes32(v.ClientNonce), Server: *bytes32(v.ServerNonce)}
	transcript := bytes32(v.Transcript)
	v.Password.Secret = text("S", 256)
	v.Password.drawn = draw(Password(mustHex(t, v.Password.Secret), &n, transcript))
	v.Token.Key, v.Token.Plaintext = text("family key", 32), text("proof", 96)
	key := bytes32(v.Token.Key)
	v.Token.drawn = draw(Token(key, (*[96]byte)(mustHex(t, v.Token.Plaintext)), &n, transcript))
	proofKey := TokenKey(key, &n)
	v.Token.ProofKey = hex.EncodeToString(proofKey[:])
	v.Gate = gate{Session: v.Password.Session, World: 7, Pass: text("pass", 16), GateNonce: text("gate nonce", 32)}
	k := Knock{World: 7, Pass: [16]byte(mustHex(t, v.Gate.Pass)), Nonces: Nonces{Client: n.Client, Server: *bytes32(v.Gate.GateNonce)}}
	pass := PassKey(bytes32(v.Gate.Session), 7, &k.Pass)
	client, server := k.ClientProof(&pass), k.GateProof(&pass)
	toServer, toClient := k.Channel(&pass, transcript)
	v.Gate.PassKey, v.Gate.ClientProof, v.Gate.GateProof = hex.EncodeToString(pass[:]), hex.EncodeToString(client[:]), hex.EncodeToString(server[:])
	v.Gate.ToServer, v.Gate.ToClient = hex.EncodeToString(toServer[:]), hex.EncodeToString(toClient[:])
	return v
}

func draw(k Keys) drawn {
	return drawn{
		hex.EncodeToString(k.ToServer[:]), hex.EncodeToString(k.ToClient[:]), hex.EncodeToString(k.Session[:]), hex.EncodeToString(k.Proof[:]),
	}
}

func TestVectors(t *testing.T) {
	got, err := json.MarshalIndent(mustVectors(t), "", "  ")
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

// TestVectors_ByTheFormulas computes the file with HMAC alone.
func TestVectors_ByTheFormulas(t *testing.T) {
	var v vectors
	b, err := os.ReadFile(vectorFile)
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	mac := func(key []byte, parts ...string) []byte {
		m := hmac.New(sha256.New, key)
		for _, p := range parts {
			m.Write([]byte(p))
		}
		return m.Sum(nil)
	}
	h := func(s string) string { return string(mustHex(t, s)) }
	// HKDF-Expand to 32 bytes is one HMAC of the info and a byte 1.
	expand := func(prk []byte, info ...string) []byte { return mac(prk, append(info, "\x01")...) }
	salt := []byte(h(v.ClientNonce) + h(v.ServerNonce))
	byPassword := mac(salt, h(v.Password.Secret))
	byToken := mac(salt, h(v.Token.Key), h(v.Token.Plaintext))
	pass := expand([]byte(h(v.Gate.Session)), "gatepass v1 pass", "\x07", h(v.Gate.Pass))
	knock := []string{"\x07", h(v.Gate.Pass), h(v.Gate.GateNonce), h(v.ClientNonce)}
	atGate := mac([]byte(h(v.ClientNonce)+h(v.Gate.GateNonce)), string(pass))
	said := h(v.Transcript)
	for name, c := range map[string]struct {
		want string
		got  []byte
	}{
		"password, to server":    {v.Password.ToServer, expand(byPassword, "gatepass v1 to server", said)},
		"password, to client":    {v.Password.ToClient, expand(byPassword, "gatepass v1 to client", said)},
		"password, session":      {v.Password.Session, expand(byPassword, "gatepass v1 session", said)},
		"password, server proof": {v.Password.ServerProof, expand(byPassword, "gatepass v1 server proof", said)},
		"token, to server":       {v.Token.ToServer, expand(byToken, "gatepass v1 to server", said)},
		"token, to client":       {v.Token.ToClient, expand(byToken, "gatepass v1 to client", said)},
		"token, session":         {v.Token.Session, expand(byToken, "gatepass v1 session", said)},
		"token, server proof":    {v.Token.ServerProof, expand(byToken, "gatepass v1 server proof", said)},
		"token proof key":        {v.Token.ProofKey, expand(mac(salt, h(v.Token.Key)), "gatepass v1 token proof")},
		"pass key":               {v.Gate.PassKey, pass},
		"client proof":           {v.Gate.ClientProof, mac(pass, append([]string{"gatepass v1 gate client"}, knock...)...)},
		"gate proof":             {v.Gate.GateProof, mac(pass, append([]string{"gatepass v1 gate server"}, knock...)...)},
		"gate, to server":        {v.Gate.ToServer, expand(atGate, "gatepass v1 to server", said)},
		"gate, to client":        {v.Gate.ToClient, expand(atGate, "gatepass v1 to client", said)},
	} {
		if hex.EncodeToString(c.got) != c.want {
			t.Errorf("%s is %x, the file has %s", name, c.got, c.want)
		}
	}
}
