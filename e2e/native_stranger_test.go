package e2e

import (
	"bytes"
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	pb "gatepass/codec/native/gatepasspb"
)

// TestNative_StrangerSeesOneAnswer: an unknown account and a wrong password are told
// apart by no field and no length, of challenges and of refusals, behind a restart
// too.
func TestNative_StrangerSeesOneAnswer(t *testing.T) {
	t.Parallel()
	// Names without an account pretend to be like those that have one.
	pretend := []string{"--config", writeFile(t, "decoys.toml", `
[[native-decoys]]
group = 2048
memory-kib = 8192
passes = 1
lanes = 1
weight = 1
`)}
	g := start(t, setup{args: pretend})
	g.addNative("ana", "secret")
	salts := make(map[string][]byte)
	var known int
	for range 2 { // the second time behind a restart
		for _, name := range []string{"ANA", "NOBODY", "nobody", "NOBODY2", "NOBODY"} {
			c, refusal := strangersSignIn(t, g, name)
			if old, ok := salts[name]; ok && !bytes.Equal(c.Salt, old) {
				t.Errorf("the salt of %s was % x and is % x", name, old, c.Salt)
			}
			salts[name] = c.Salt
			size := proto.Size(c)
			if name == "ANA" {
				known = size
			}
			if kdf := c.Kdf; size != known || c.Group != 2048 || len(c.PublicKey) != 256 || len(c.Salt) != 32 || len(c.Nonce) != 32 ||
				kdf.GetMemoryKib() != 8192 || kdf.GetPasses() != 1 || kdf.GetLanes() != 1 {
				t.Errorf("%s: a challenge of %d bytes, not %d: %v", name, size, known, c)
			}
			if want := (&pb.Refused{Result: pb.Result_RESULT_BAD_CREDENTIALS}); !proto.Equal(refusal, want) {
				t.Errorf("%s was refused by %v", name, refusal)
			}
		}
		g.stop()
		g = start(t, setup{data: g.data, args: pretend})
	}
	if !bytes.Equal(salts["NOBODY"], salts["nobody"]) || bytes.Equal(salts["NOBODY"], salts["NOBODY2"]) {
		t.Error("a salt does not hang on the account alone")
	}
	// By token the same.
	for _, name := range []string{"ANA", "NOBODY"} {
		w := dialWire(t, g.said["native"], false)
		w.send(&pb.ClientFrame{Body: &pb.ClientFrame_SignIn{SignIn: &pb.SignIn{
			Version: 1, Account: name, Nonce: make([]byte, 32), Build: nativeBuild,
			Device: bytes.Repeat([]byte{1}, 16), TokenFamily: bytes.Repeat([]byte{2}, 16),
		}}})
		if n := len(w.hear().GetTokenChallenge().GetNonce()); n != 32 {
			t.Fatalf("%s: a nonce of %d bytes", name, n)
		}
		w.send(&pb.ClientFrame{Body: &pb.ClientFrame_TokenProof{TokenProof: &pb.TokenProof{Sealed: make([]byte, 112)}}})
		if r := w.mustClose().GetRefused(); r.GetResult() != pb.Result_RESULT_BAD_CREDENTIALS {
			t.Errorf("%s: %v", name, r)
		}
	}
}

// strangersSignIn tries a wrong password.
func strangersSignIn(t testing.TB, g *gatepass, name string) (*pb.PasswordChallenge, *pb.Refused) {
	t.Helper()
	w := dialWire(t, g.said["native"], false)
	c := w.challenged(who{name, fmt.Sprint("wrong", name)})
	w.prove(c)
	return c, w.mustClose().GetRefused()
}
