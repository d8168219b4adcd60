package main

import (
	"go/format"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const sample = `package sample

const most = 3

func guarded(n int) (int, error) {
	defer unlock()
	if n >= most && n != 0 {
		return 0, ErrMany
	}
	for n < 7 {
		step(n)
		if ready {
			break
		}
	}
	log.Info("done")
	wipe(key)
	key = nil
	return n, err
}
`

// Each kind of change is found in its place, and its result is valid Go.
func TestFindSites_FindsEachKind(t *testing.T) {
	sites, err := findSites("sample.go", []byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range sites {
		got = append(got, sites[i].String())
		if _, err := format.Source(sites[i].apply([]byte(sample))); err != nil {
			t.Errorf("%v: %v", &sites[i], err)
		}
	}
	want := []string{
		"sample.go:3 constant: 3 → (3 + 1)",
		"sample.go:3 constant: 3 → (3 - 1)",
		"sample.go:6 drop-call: defer unlock() → if false { defer unlock() }",
		"sample.go:7 negate: n >= most && n != 0 → !(n >= most && n != 0)",
		"sample.go:7 drop-guard: n >= most && n != 0 → false && (n >= most && n != 0)",
		"sample.go:7 compare: n >= most && n != 0 → n >= most || n != 0",
		"sample.go:7 compare: n >= most → n > most",
		"sample.go:7 compare: n != 0 → n == 0",
		"sample.go:7 constant: 0 → (0 + 1)",
		"sample.go:7 constant: 0 → (0 - 1)",
		"sample.go:8 drop-exit: return 0, ErrMany → if false { return 0, ErrMany }",
		"sample.go:8 swallow-error: ErrMany → nil",
		"sample.go:8 constant: 0 → (0 + 1)",
		"sample.go:8 constant: 0 → (0 - 1)",
		"sample.go:10 negate: n < 7 → !(n < 7)",
		"sample.go:10 compare: n < 7 → n <= 7",
		"sample.go:10 constant: 7 → (7 + 1)",
		"sample.go:10 constant: 7 → (7 - 1)",
		"sample.go:11 drop-call: step(n) → if false { step(n) }",
		"sample.go:12 negate: ready → !(ready)",
		"sample.go:12 drop-guard: ready → false && (ready)",
		"sample.go:13 drop-exit: break → if false { break }",
		"sample.go:17 drop-wipe: wipe(key) → if false { wipe(key) }",
		"sample.go:18 drop-wipe: key = nil → if false { key = nil }",
		"sample.go:19 swallow-error: err → nil",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

func TestFindSites_IDsDiffer(t *testing.T) {
	sites, err := findSites("sample.go", []byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for i := range sites {
		if seen[sites[i].id] {
			t.Errorf("two mutants are %s", sites[i].id)
		}
		seen[sites[i].id] = true
	}
	if id := "sample.go: guarded: constant: 0 → (0 + 1) #2"; !seen[id] {
		t.Errorf("no %s", id)
	}
}

func TestReadAccepted(t *testing.T) {
	known, err := readAccepted(strings.NewReader("# why\na.go: f: negate: x\n    one line\n    and another\n\nb.go: g: compare: y\n\tseen\n"))
	if err != nil || len(known) != 2 || known["a.go: f: negate: x"] != "one line and another" {
		t.Errorf("%q, %v", known, err)
	}
	for _, bad := range []string{"a.go: f: negate: x\n", "    a reason\n", "x\n    y\nx\n    y\n", "x\nz\n    y\n"} {
		if _, err := readAccepted(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// The list of accepted survivors can be read, and the files that it names exist.
func TestAccepted_NamesFilesThatExist(t *testing.T) {
	known, err := loadAccepted("equivalent.txt")
	if err != nil {
		t.Fatal(err)
	}
	for id := range known {
		file, _, _ := strings.Cut(id, ": ")
		if _, err := os.Stat(filepath.Join("..", file)); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}
