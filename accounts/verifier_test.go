package accounts

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"gatepass/storage"
)

func parseTrinity(salt, verifier string) (storage.GruntVerifier, error) {
	g, _, err := parsePair(pair{salt, verifier, "salt", "verifier"}, false)
	return g, err
}

func parseMangos(s, v string) (storage.GruntVerifier, error) {
	g, _, err := parsePair(pair{s, v, "s", "v"}, true)
	return g, err
}

func TestParseMangos_ReferenceRows(t *testing.T) {
	for _, row := range mangosRows(t) {
		g, err := parseMangos(row.s, row.v)
		if err != nil {
			t.Errorf("%s: %v", row.user, err)
			continue
		}
		if hex.EncodeToString(g.Salt[:]) != row.salt || hex.EncodeToString(g.Verifier[:]) != row.verifier {
			t.Errorf("%s: another salt or verifier", row.user)
		}
		if s := mangosHex(g.Salt); strings.TrimLeft(s, "0") != strings.TrimLeft(row.s, "0") || len(s) != 64 {
			t.Errorf("%s: written back as %s", row.user, s)
		}
		trinity, err := parseTrinity("0x"+trinityHex(g.Salt), trinityHex(g.Verifier))
		if err != nil || trinity != g {
			t.Errorf("%s: trinity columns give another verifier: %v", row.user, err)
		}
	}
}

// groupMinusOne is N-1 of the grunt protocol's group, big-endian.
const groupMinusOne = "894B645E89E1535BBDAD5B8B290650530801B18EBFBF5E8FAB3C82872A3E9BB6"

func TestParseVerifier_RefusesWhatIsNone(t *testing.T) {
	good := strings.Repeat("5A", 32)
	for _, c := range []struct {
		salt, verifier string
		want           error
	}{
		{good, strings.Repeat("00", 32), errWeak},
		{good, "01" + strings.Repeat("00", 31), errWeak},
		{good, strings.Repeat("FF", 32), errWeak},
		{good[2:], good, errSaltHex},
		{good, good + "5A", errVerifierHex},
		{good, good[:63] + "x", errVerifierHex},
		{good, "", errVerifierHex},
	} {
		if _, err := parseTrinity(c.salt, c.verifier); !errors.Is(err, c.want) {
			t.Errorf("%s, %s: %v, want %v", c.salt, c.verifier, err, c.want)
		}
	}
	for _, v := range []string{"", "1", "0", groupMinusOne, groupMinusOne[:63] + "7", "0x", "G", good + "0"} {
		if _, err := parseMangos(good, v); err == nil {
			t.Errorf("v = %q was taken", v)
		}
	}
}

func TestParseMangos_ShortNumbersAreFilledUp(t *testing.T) {
	g, err := parseMangos("ABC", "0xDEF")
	want := storage.GruntVerifier{Set: true, Salt: [32]byte{0xbc, 0x0a}, Verifier: [32]byte{0xef, 0x0d}}
	if err != nil || g != want {
		t.Errorf("salt %x verifier %x, %v", g.Salt, g.Verifier, err)
	}
}
