package native

import (
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// pages are the pages of the contract.
const pages = "../../docs/native-*.md"

// mustPages returns the pages by their paths.
func mustPages(t testing.TB) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(pages)
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: %d pages, %v", pages, len(paths), err)
	}
	texts := make(map[string]string, len(paths))
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[path] = string(text)
	}
	return texts
}

// mustAllText returns all pages as one text.
func mustAllText(t testing.TB) string {
	t.Helper()
	var all strings.Builder
	for _, text := range mustPages(t) {
		all.WriteString(text)
	}
	return all.String()
}

// group is a group in the pages.
type group struct {
	n, g *big.Int
	size int // of n, in bytes
}

func mustGroup(t testing.TB, bits int) group {
	t.Helper()
	m := regexp.MustCompile(fmt.Sprintf("## %d bits, g = ([0-9]+)\n\n```\n([0-9a-f\n]+)```", bits)).FindStringSubmatch(mustAllText(t))
	if m == nil {
		t.Fatalf("%s: no group of %d bits", pages, bits)
	}
	n, _ := new(big.Int).SetString(strings.ReplaceAll(m[2], "\n", ""), 16)
	g, _ := strconv.Atoi(m[1])
	return group{n, big.NewInt(int64(g)), bits / 8}
}

func (g group) pad(n *big.Int) []byte { return n.FillBytes(make([]byte, g.size)) }
