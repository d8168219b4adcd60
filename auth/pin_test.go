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
