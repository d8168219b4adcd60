package auth

import (
	"errors"
	"testing"

	"pgregory.net/rapid"
)

func TestPIN_ImpossibleOnesAreRefused(t *testing.T) {
	var x PINExchange
	for _, pin := range []string{"", "1", "123", "12345678901", "12a4", "12 4", "-123", "１２３４", "12/4", "12:4"} {
		if proof, err := x.Proof(pin); !errors.Is(err, ErrPIN) || proof != [20]byte{} {
			t.Errorf("%q: %v", pin, err)
		}
		if err := x.Verify(pin, &[20]byte{}); !errors.Is(err, ErrPIN) {
			t.Errorf("%q: %v", pin, err)
		}
	}
}

func TestPIN_LeadingZerosCount(t *testing.T) {
	var x PINExchange
	proof, err := x.Proof("00123")
	if err != nil {
		t.Fatal(err)
	}
	for _, pin := range []string{"0123", "000123", "12300"} {
		if err := x.Verify(pin, &proof); !errors.Is(err, ErrFactor) {
			t.Errorf("%s passes for 00123: %v", pin, err)
		}
	}
}

func TestPINGrid_IsAPermutationForEverySeed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewPINGrid(rapid.Uint32().Draw(t, "seed"))
		var seen [10]bool
		for _, digit := range g {
			if digit > 9 || seen[digit] {
				t.Fatalf("%v", g)
			}
			seen[digit] = true
		}
	})
	if got := gridText(NewPINGrid(0)); got != "0123456789" {
		t.Errorf("seed 0: %s", got)
	}
}

func TestSamePIN(t *testing.T) {
	for _, c := range []struct {
		stored, typed string
		want          bool
	}{
		{"0123", "0123", true}, {"0123456789", "0123456789", true},
		{"0123", "123", false}, {"0123", "01234", false}, {"0123", "0124", false}, {"0123", "", false},
		{"", "", false}, {"012", "012", false}, {"01234567890", "01234567890", false},
	} {
		if got := SamePIN(c.stored, c.typed); got != c.want {
			t.Errorf("%q, typed %q: %v", c.stored, c.typed, got)
		}
	}
}
