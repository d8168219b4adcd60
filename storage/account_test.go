package storage_test

import (
	"fmt"
	"strings"
	"testing"

	"gatepass/storage"
	"gatepass/storage/storagetest"
)

func TestAccount_Limits(t *testing.T) {
	for name, spoil := range map[string]func(*storage.Account){
		"no name":      func(a *storage.Account) { a.Name = storage.Name{} },
		"odd name":     func(a *storage.Account) { a.Name[0] = 'a' },
		"gap in name":  func(a *storage.Account) { a.Name = storage.Name{'A', 0, 'B'} },
		"PIN short":    func(a *storage.Account) { a.PIN = "123" },
		"PIN long":     func(a *storage.Account) { a.PIN = "12345678901" },
		"PIN letters":  func(a *storage.Account) { a.PIN = "12a4" },
		"TOTP":         func(a *storage.Account) { a.TOTPSecret = make([]byte, storage.MaxTOTPSecret+1) },
		"reason":       func(a *storage.Account) { a.Ban.Reason = strings.Repeat("x", storage.MaxText+1) },
		"other":        func(a *storage.Account) { a.Others = map[string][]byte{"x": make([]byte, storage.MaxOther+1)} },
		"other's name": func(a *storage.Account) { a.Others = map[string][]byte{"": nil} },
		"world 0":      func(a *storage.Account) { a.Characters = []storage.WorldCount{{World: 0, Count: 1}} },
		"count 0":      func(a *storage.Account) { a.Characters = []storage.WorldCount{{World: 1, Count: 0}} },
		"world twice": func(a *storage.Account) {
			a.Characters = []storage.WorldCount{{World: 1, Count: 1}, {World: 1, Count: 2}}
		},
		"many others": func(a *storage.Account) {
			a.Others = map[string][]byte{}
			for i := range storage.MaxOthers + 1 {
				a.Others[storagetest.Account(i).Name.String()] = nil
			}
		},
	} {
		a := storagetest.Account(1)
		if !storage.ValidAccount(a) {
			t.Fatal("not valid to begin with")
		}
		if spoil(a); storage.ValidAccount(a) {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestGruntVerifier_StringHides(t *testing.T) {
	if s := storagetest.Account(1).Grunt.String(); s != "grunt-verifier" {
		t.Fatal(s)
	}
}

func TestAccount_Credentials_TellEveryField(t *testing.T) {
	base := func() *storage.Account {
		a := storagetest.Account(1)
		a.Others = map[string][]byte{"a": {1, 2}, "b": {3}}
		a.PIN, a.TOTPSecret = "1234", []byte{9}
		return a
	}
	seen := map[storage.Credentials]string{base().Credentials(): "nothing"}
	for name, change := range map[string]func(*storage.Account){
		"salt": func(a *storage.Account) { a.Grunt.Salt[31]++ }, "verifier": func(a *storage.Account) { a.Grunt.Verifier[0]++ },
		"no grunt": func(a *storage.Account) { a.Grunt = storage.GruntVerifier{} }, "PIN": func(a *storage.Account) { a.PIN = "12345" },
		"no PIN": func(a *storage.Account) { a.PIN = "" }, "secret": func(a *storage.Account) { a.TOTPSecret = []byte{9, 0} },
		"no secret": func(a *storage.Account) { a.TOTPSecret = nil }, "name": func(a *storage.Account) { a.Name = storagetest.Account(2).Name },
		"other": func(a *storage.Account) { a.Others["a"] = []byte{1, 3} }, "one other less": func(a *storage.Account) { delete(a.Others, "b") },
		"other moved": func(a *storage.Account) { a.Others = map[string][]byte{"a": {1, 2, 1, 'b', 1, 0, 0, 0, 3}} },
	} {
		a := base()
		change(a)
		if was, twice := seen[a.Credentials()]; twice {
			t.Errorf("%s and %s: the same credentials", name, was)
		}
		seen[a.Credentials()] = name
	}
	a := base()
	a.Ban, a.Created, a.Login.Failed, a.Characters = storage.Ban{Set: true}, 5, 1, []storage.WorldCount{{World: 1, Count: 2}}
	if seen[a.Credentials()] != "nothing" {
		t.Error("a change of something else changes the credentials")
	}
	if text := fmt.Sprintf("%v %+v %x %s", a.Credentials(), a.Credentials(), a.Credentials(), a.Credentials()); text != "credentials credentials credentials credentials" {
		t.Errorf("printed: %s", text)
	}
}
