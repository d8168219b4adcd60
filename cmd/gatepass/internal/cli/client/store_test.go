package client

import (
	"errors"
	"os"
	"testing"
	"time"

	"gatepass/client"
)

// A token belongs to the server that issued it. Another address has no token, and
// actions there do not change it.
func TestClientFlags_TokensAreOfOneAddress(t *testing.T) {
	dir := t.TempDir()
	at := func(address string) client.TokenStore {
		f := &settings{address: address, tokens: dir}
		return f.store()
	}
	if err := at("Login.example:3725").Save("ANA", client.Token{Device: [16]byte{1}}); err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{"login.example:3726", "other.example:3725", "[::1]:3725", "../x:1", "a/b:1"} {
		if _, err := at(other).Load("ANA"); !errors.Is(err, client.ErrNoToken) {
			t.Errorf("%s: %v", other, err)
		}
		if err := errors.Join(at(other).Save("ANA", client.Token{Device: [16]byte{2}}), at(other).Forget("ANA")); err != nil {
			t.Error(err)
		}
	}
	if token, err := at("login.example:3725").Load("ANA"); err != nil || token.Device != [16]byte{1} {
		t.Errorf("%v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 6 || entries[len(entries)-1].Name() != "other.example%3A3725" {
		t.Errorf("%v, %v", entries, err)
	}
	if (&settings{}).store() != nil {
		t.Error("a store without a folder")
	}
}

// After a server's restart, the client reconnects in much less than a minute.
func TestClientFlags_ComeBackSoon(t *testing.T) {
	o := (&settings{build: 1}).options()
	if o.EnsureDefaults(); o.Backoff.Max != 10*time.Second || o.Validate() != nil {
		t.Errorf("%v, %v", o.Backoff, o.Validate())
	}
}
