package factor

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"gatepass/auth"
	"gatepass/codec"
	"gatepass/storage"
)

func TestFactor_WhatIsAskedFollowsFromAccountAndClient(t *testing.T) {
	const pin, token, matrix = codec.FactorPIN, codec.FactorToken, codec.FactorMatrix
	one, both := storage.Account{PIN: "1234"}, storage.Account{PIN: "1234", TOTPSecret: []byte{1}}
	code := storage.Account{TOTPSecret: []byte{1}}
	for _, c := range []struct {
		name      string
		has       *storage.Account
		can, want codec.Factors
	}{
		{"PIN", &one, pin | matrix | token, pin}, {"PIN, pad only", &one, pin, pin}, {"PIN, nothing", &one, 0, 0},
		{"PIN, token field only", &one, token, 0},
		{"code", &code, pin | matrix | token, token}, {"code, pad only", &code, pin | matrix, pin}, {"code, nothing", &code, matrix, 0},
		{"both", &both, pin | matrix | token, pin | token}, {"both, pad only", &both, pin, pin}, {"both, nothing", &both, 0, 0},
		{"both, token field only", &both, token, 0},
	} {
		if got := New(c.has).askable(c.can); got != c.want {
			t.Errorf("%s: asks for %b, want %b", c.name, got, c.want)
		}
	}
	if New(&storage.Account{}) != nil {
		t.Error("an account without a factor has one")
	}
}

// A made-up factor is proven by nothing, not even by the code of an empty secret.
func TestFactor_NothingProvesADecoy(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	f := Decoy()
	f.asked = codec.FactorToken
	f.typedLen = uint8(copy(f.typed[:], auth.TOTPSecret{}.Code(auth.TOTPStep(now))))
	if _, err := f.prove(now); err == nil {
		t.Error("it was proven")
	}
}

func TestFactor_WipesWhatItHeld(t *testing.T) {
	secret := []byte{1, 2, 3}
	f := New(&storage.Account{PIN: "1234", TOTPSecret: secret})
	f.typed = [codec.MaxToken]byte{'1'}
	f.Wipe()
	if slices.Max(secret) != 0 || !reflect.ValueOf(*f).IsZero() {
		t.Error("something is left")
	}
}
