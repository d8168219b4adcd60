package srp6a

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

// quick is the cheapest KDF that clients accept.
var quick = MinKDF()

func TestKDF_Validate_ReportsEveryFault(t *testing.T) {
	for _, k := range []KDF{DefaultKDF(), MinKDF(), MaxKDF(), {8, 1, 1}, {128, 16, 16}, {1 << 20, 16, 16}} {
		if err := k.Validate(); err != nil {
			t.Errorf("%+v: %v", k, err)
		}
	}
	for _, c := range []struct {
		kdf   KDF
		parts []string
	}{
		{KDF{}, []string{"memory", "passes", "lanes"}},
		{KDF{7, 17, 17}, []string{"memory", "passes", "lanes"}},
		{KDF{1<<20 + 1, 1, 1}, []string{"memory"}},
		{KDF{127, 1, 16}, []string{"memory"}},
		{KDF{1 << 20, 1, 1 << 31}, []string{"lanes"}},
	} {
		err := c.kdf.Validate()
		for _, part := range c.parts {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%+v: %v does not name %s", c.kdf, err, part)
			}
		}
		if n := strings.Count(err.Error(), "must be"); n != len(c.parts) {
			t.Errorf("%+v: %d faults: %v", c.kdf, n, err)
		}
	}
	err := Params{Group: 1024}.Validate()
	if err == nil || !strings.Contains(err.Error(), "group") || !strings.Contains(err.Error(), "passes") {
		t.Error(err)
	}
	if err := DefaultParams().Validate(); err != nil {
		t.Error(err)
	}
}

// Existing clients depend on these values.
func TestKDF_Figures(t *testing.T) {
	for got, want := range map[KDF]KDF{DefaultKDF(): {65_536, 3, 1}, MinKDF(): {8_192, 1, 1}, MaxKDF(): {262_144, 16, 16}} {
		if got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

func TestKDF_Acceptable_IsNarrower(t *testing.T) {
	for _, k := range []KDF{DefaultKDF(), MinKDF(), {256 << 10, 4, 16}, {64 << 10, 16, 1}} {
		if err := k.Acceptable(); err != nil {
			t.Errorf("%+v: %v", k, err)
		}
	}
	for _, k := range []KDF{{}, {8, 1, 1}, {8<<10 - 1, 1, 1}, {256<<10 + 1, 1, 1}, {64 << 10, 0, 1}, {64 << 10, 17, 1}, MaxKDF(), {256 << 10, 5, 1}, {64<<10 + 1, 16, 1}} {
		if err := k.Acceptable(); !errors.Is(err, ErrParams) {
			t.Errorf("%+v: %v", k, err)
		}
	}
}

// TestKDF_Key_SeparatesNameAndPassword also checks that the password's case matters.
func TestKDF_Key_SeparatesNameAndPassword(t *testing.T) {
	seen := map[[32]byte]string{}
	for _, c := range []struct {
		salt           byte
		name, password string
	}{{1, "ALICE", "secret"}, {1, "ALIC", "secret"}, {1, "ALICE", "Secret"}, {2, "ALICE", "secret"}, {1, "ALICE", ""}} {
		x := KDF{8, 1, 1}.key(&[32]byte{c.salt}, c.name, c.password)
		if other, ok := seen[x]; ok {
			t.Errorf("%v and %s have one x", c, other)
		}
		seen[x] = c.name + c.password
	}
}

// TestKDF_Key_IsArgon2id compares with OpenSSL's value for the same message and salt.
func TestKDF_Key_IsArgon2id(t *testing.T) {
	salt := [32]byte([]byte("0123456789abcdef0123456789abcdef"))
	x := KDF{MemoryKiB: 64, Passes: 2, Lanes: 2}.key(&salt, "ALICE", "Pässword 1")
	if got := hex.EncodeToString(x[:]); got != "be5cc2992c5bbc1749182e59a933e7eb3810893c635812f21cf3ba78f2b1addc" {
		t.Errorf("%s", got)
	}
}
