package gatepass_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// spread is a change that people make often, measured by one that is there: how many
// files name it. CONTRIBUTING.md lists the files.
type spread struct {
	what    string
	example *regexp.Regexp // finds the example in a file
	in      []string       // folders; "." is the whole tree
	// aim is what the number should be, most what it is today: it may fall, not rise.
	aim, most int
}

var spreads = []spread{
	{"files of a rule with a setting (sign-ins a minute)", regexp.MustCompile(`(?i)sign-?ins-?per-?minute`), []string{"."}, 4, 9},
	{"files of a counter (forged frames)", regexp.MustCompile(`"connections_forged_total"`), []string{"."}, 1, 1},
	{"files of an operator command (notice)", regexp.MustCompile(`NoticeRequest|notice\.send|[nN]oticeCommand`), []string{"."}, 5, 5},
	{"files of a native opcode on the server (select a world)", regexp.MustCompile(`SelectWorld`), []string{"codec", "logic", "server", "worlds"}, 6, 7},
}

// count is how many files name the example. Tests, generated code and the history of
// changes do not count.
func (s *spread) count(t *testing.T) (where []string) {
	t.Helper()
	for _, in := range s.in {
		err := filepath.WalkDir(filepath.Join(".", in), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (path != "." && strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bin" || d.Name() == "e2e" || d.Name() == "gatepasspb"):
				return filepath.SkipDir
			case strings.HasSuffix(path, "_test.go"), d.Name() == "CHANGELOG.md", d.IsDir(),
				!strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".md"):
				return nil
			}
			b, err := os.ReadFile(path)
			if s.example.Match(b) {
				where = append(where, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return where
}

const (
	maxPackageFiles = 30
	maxMethods      = 30 // of a type in logic
)

// size is a piece of code and how large it is.
type size struct {
	what string
	n    int
}

// largest are the three largest, as text.
func largest(all []size) string {
	slices.SortFunc(all, func(a, b size) int { return cmp.Compare(b.n, a.n) })
	var said []string
	for _, s := range all[:min(3, len(all))] {
		said = append(said, fmt.Sprintf("%s %d", s.what, s.n))
	}
	return strings.Join(said, ", ")
}

// TestHouse prints how far a change spreads and how large the pieces are, and fails where
// one is over its limit: make house.
func TestHouse(t *testing.T) {
	files, functions, packages, methods := sizes(t)
	for _, m := range []struct {
		what  string
		sizes []size
		most  int
	}{
		{"lines of a file", files, 400},
		{"lines of a function", functions, 60},
		{"files of a package", packages, maxPackageFiles},
		{"methods of a type in logic", methods, maxMethods},
	} {
		largest := largest(m.sizes)
		t.Logf("%-55s at most %3d: %s", m.what, m.most, largest)
		for _, s := range m.sizes {
			if s.n > m.most {
				t.Errorf("%s: %s has %d, more than %d", m.what, s.what, s.n, m.most)
			}
		}
	}
	for _, s := range spreads {
		where := s.count(t)
		t.Logf("%-55s aim %d: %d: %s", s.what, s.aim, len(where), strings.Join(where, " "))
		if n := len(where); n == 0 || n > s.most {
			t.Errorf("%s: %d, want 1 to %d: %v", s.what, n, s.most, where)
		}
	}
}

// sizes measures the whole tree without its tests.
func sizes(t *testing.T) (files, functions, packages, methods []size) {
	perPackage, perType := map[string]int{}, map[string]int{}
	for _, s := range sources(t) {
		if s.isTest() {
			continue
		}
		files = append(files, size{s.path, s.fset.File(s.file.Pos()).LineCount()})
		perPackage[filepath.Dir(s.path)]++
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			functions = append(functions, size{s.path + " " + f.Name.Name, s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line})
			if f.Recv != nil && filepath.Dir(s.path) == "logic" {
				perType["logic."+receiver(f)]++
			}
		}
	}
	for name, n := range perPackage {
		packages = append(packages, size{name, n})
	}
	for name, n := range perType {
		methods = append(methods, size{name, n})
	}
	return files, functions, packages, methods
}

// receiver is the name of the type that f is a method of.
func receiver(f *ast.FuncDecl) string {
	expr := f.Recv.List[0].Type
	if star, ok := expr.(*ast.StarExpr); ok {
		expr = star.X
	}
	if index, ok := expr.(*ast.IndexExpr); ok {
		expr = index.X
	}
	if name, ok := expr.(*ast.Ident); ok {
		return name.Name
	}
	return "?"
}
