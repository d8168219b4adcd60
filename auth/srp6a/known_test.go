package srp6a

import (
	"fmt"
	"strings"
	"testing"
)

// A client with x signs in like one with the password, without the KDF.
func TestKnown_SignsInAsThePasswordDoes(t *testing.T) {
	p := Params{Group: Group2048, KDF: MinKDF()}
	salt := [32]byte{1, 2, 3}
	want := NewVerifier(p, &salt, "ana", "secret")
	k := &Known{Params: p, Salt: salt, X: p.KDF.key(&salt, "ANA", "secret")}
	if got := k.Verifier(); string(got.Append(nil)) != string(want.Append(nil)) {
		t.Fatal("the verifier is not the password's")
	}
	for _, name := range []string{"ana", "Bob"} { // who share it
		server := Server{Name: fold(name), Verifier: want}
		server.Challenge(&[32]byte{7})
		client := NewClient(k.Identity(name), &[32]byte{9})
		a, m1, err := client.Respond(&Challenge{Params: p, Salt: salt, B: server.B})
		if err != nil {
			t.Fatal(err)
		}
		_, m2, err := server.Verify(a, &m1)
		if err != nil || client.CheckServer(&m2) != nil {
			t.Errorf("%s: verify: %v", name, err)
		}
	}
	if text := fmt.Sprintf("%v %+v %#v %s", *k, k, *k, k); strings.Contains(text, "1, 2") || !strings.Contains(text, "known") {
		t.Errorf("it prints as %s", text)
	}
}
