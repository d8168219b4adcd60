package wipes

import (
	"slices"
	"testing"
)

func TestFind(t *testing.T) {
	got, err := Find("a.go", []byte(`package a

func (k *Key) Wipe() { *k = Key{} }

func use(k Key) {
	defer clear(k.bytes)
	if k.old {
		k.Wipe()
	}
	if false {
		clear(k.hidden)
	}
	run(k.Wipe)
	k.name = ""
}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Key.Wipe: *k = Key{}", "use: defer clear(k.bytes)", "use: k.Wipe()", "use: k.Wipe"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// recorder keeps the errors of a check.
type recorder struct {
	testing.TB
	failed int
}

func (r *recorder) Helper()               {}
func (r *recorder) Errorf(string, ...any) { r.failed++ }

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		want, got []string
		failures  int
	}{
		{[]string{"a", "b"}, []string{"a", "b"}, 0},
		{[]string{"a", "b"}, []string{"a"}, 1},
		{[]string{"a", "a"}, []string{"a"}, 1},
		{[]string{"a"}, []string{"a", "c"}, 1},
	} {
		r := new(recorder)
		if compare(r, c.want, c.got); r.failed != c.failures {
			t.Errorf("%q and %q: %d failures", c.want, c.got, r.failed)
		}
	}
}
