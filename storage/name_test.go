package storage

import (
	"strings"
	"testing"
)

func TestFoldName(t *testing.T) {
	for raw, want := range map[string]string{
		"player":           "PLAYER",
		"Player One":       "PLAYER ONE",
		"x":                "X",
		"~!@#[]{}":         "~!@#[]{}",
		"abcdefghijklmnop": "ABCDEFGHIJKLMNOP",
	} {
		if n, err := FoldName(raw); err != nil || n.String() != want {
			t.Errorf("%q became %q, %v", raw, n, err)
		}
	}
	for _, raw := range []string{
		"", " x", "x ", "a:b", "a\x00b", "a\nb", "a\x7f", "Ä", "a\xff", strings.Repeat("x", 17),
	} {
		if n, err := FoldName(raw); err != ErrName || n != (Name{}) {
			t.Errorf("%q became %q, %v", raw, n, err)
		}
	}
}

func FuzzFoldName(f *testing.F) {
	f.Add([]byte("Player"))
	f.Add([]byte("0123456789abcdef"))
	f.Add([]byte(" x"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		n, err := FoldName(raw)
		if err != nil {
			return
		}
		if len(n.Bytes()) != len(raw) || !strings.EqualFold(n.String(), string(raw)) {
			t.Fatalf("%q became %q", raw, n)
		}
		if again, err := FoldName(n.Bytes()); err != nil || again != n {
			t.Fatalf("%q folds on to %q, %v", n, again, err)
		}
	})
}
