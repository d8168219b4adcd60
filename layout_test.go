// Package gatepass_test keeps the promises that the whole tree makes: which
// package may know which, and how large its pieces may be. It opens the files
// itself, so that no cache stands between a violation and its failure.
package gatepass_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mayImport says which of our packages a folder may import, beside those within
// itself; a folder within one that is here has the rule of that one unless it has
// its own. A top-level folder that is not here may not exist.
var mayImport = map[string][]string{
	"codec":    {},
	"auth":     {},
	"storage":  {},
	"queue":    {},
	"deadline": {},
	"guard":    {},
	// Names and help of metrics, beside what they count.
	"counters": {},
	// Files that are there whole or not at all.
	"atomicfile": {},
	"patches":    {"codec", "atomicfile"},
	"server":     {"codec", "queue", "deadline", "guard", "counters"},
	"worlds":     {"codec", "deadline", "guard", "atomicfile", "counters"},
	// What a game embeds serves clients by itself.
	"worlds/gate": {"worlds", "codec", "queue", "deadline", "guard", "server", "auth", "counters"},
	"logic":       {"worlds", "storage", "auth", "codec", "queue", "deadline", "guard", "patches", "counters"},
	// What a game's client embeds.
	"client":   {"codec", "auth", "atomicfile"},
	"accounts": {"storage", "auth"},
	"admin":    {"accounts", "storage", "auth", "codec", "worlds", "patches"},
	// A tool for developers: it reads the code as text.
	"mutants": {},
	"perf":    {"codec", "client", "queue", "logic", "server", "worlds", "storage", "auth", "accounts", "patches"},
	"e2e":     {"client", "codec", "auth", "accounts", "admin", "storage", "patches"},
	"cmd":     {"client", "codec", "queue", "deadline", "logic", "server", "worlds", "storage", "auth", "accounts", "admin", "perf", "patches", "atomicfile", "counters"},
}

// mayImportWithin says which packages of its own top-level folder a package may import. A
// package that is not here may import all of them.
var mayImportWithin = map[string][]string{
	"client":                      {"client/internal/disk"},
	"client/internal/disk":        {},
	"perf/load/internal/counts":   {},
	"perf/load/internal/loop":     {},
	"perf/load/internal/usage":    {},
	"perf/load/players":           {},
	"perf/load/progress":          {},
	"perf/load/internal/protocol": {"perf/load/internal/counts", "perf/load/players"},
	"perf/load/internal/engine":   {"perf/load/internal/counts", "perf/load/internal/loop", "perf/load/internal/protocol", "perf/load/players"},
	"perf/load/internal/loadtest": {"perf/load/players"},
	"perf/load/patch":             {"perf/load/internal/counts", "perf/load/internal/loop", "perf/load/internal/protocol", "perf/load/players", "perf/load/progress"},
	"perf/load/floor":             {"perf/load/internal/loop", "perf/load/internal/protocol"},
	"perf/load": {
		"perf/load/internal/counts", "perf/load/internal/engine", "perf/load/internal/protocol", "perf/load/internal/usage",
		"perf/load/patch", "perf/load/players", "perf/load/progress",
	},
	"perf/load/testbed": {"perf/load", "perf/load/patch", "perf/load/players"},
}

const (
	maxFileLines = 560 // of a test; TestHouse has the limit of other files
	maxFuncLines = 60
)

type source struct {
	path string // from the root, with slashes
	fset *token.FileSet
	file *ast.File
}

func (s *source) folder() string { return strings.SplitN(s.path, "/", 2)[0] }

// rule is what the nearest folder with a rule may import.
func (s *source) rule() (allowed []string, known bool) {
	for dir := filepath.Dir(s.path); dir != "." && !known; dir = filepath.Dir(dir) {
		allowed, known = mayImport[dir]
	}
	return allowed, known
}
func (s *source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bin") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || !strings.Contains(path, string(filepath.Separator)) {
			return nil
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err == nil && ast.IsGenerated(file) {
			return nil // its style is the generator's
		}
		all = append(all, source{filepath.ToSlash(path), fset, file})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 50 {
		t.Fatalf("only %d source files found: the walk is broken", len(all))
	}
	return all
}

func TestLayout_ImportsGoOneWay(t *testing.T) {
	for _, s := range sources(t) {
		allowed, known := s.rule()
		if !known {
			t.Errorf("%s: no top-level folder %q is known; add it to mayImport with what it may import", s.path, s.folder())
			continue
		}
		for _, spec := range s.file.Imports {
			target, ours := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), "gatepass/")
			if !ours {
				continue
			}
			if s.isTest() && target == "mutants/wipes" {
				continue // any test may ask what its package wipes
			}
			folder := strings.SplitN(target, "/", 2)[0]
			if folder != s.folder() && !slices.Contains(allowed, folder) {
				t.Errorf("%s imports gatepass/%s: %s may import only %v", s.path, target, s.folder(), allowed)
			}
		}
	}
}

// opensStores are the folders that may know which engine keeps the accounts. All others
// know package storage only.
var opensStores = []string{"storage", "cmd", "perf", "e2e"}

func TestLayout_EnginesAreKnownWhereStoresAreOpened(t *testing.T) {
	for _, s := range sources(t) {
		for _, spec := range s.file.Imports {
			engine := strings.HasPrefix(strings.Trim(spec.Path.Value, `"`), "gatepass/storage/")
			if engine && !s.isTest() && !slices.Contains(opensStores, s.folder()) {
				t.Errorf("%s imports %s: only %v may know an engine", s.path, spec.Path.Value, opensStores)
			}
		}
	}
}

func TestLayout_PackagesWithinAFolderGoOneWay(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range sources(t) {
		dir := filepath.Dir(s.path)
		allowed, known := mayImportWithin[dir]
		seen[dir] = true
		if !known || s.isTest() {
			continue
		}
		for _, spec := range s.file.Imports {
			target, _ := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), "gatepass/")
			if strings.HasPrefix(target, s.folder()+"/") && !slices.Contains(allowed, target) {
				t.Errorf("%s imports gatepass/%s: of its own folder it may import only %v", s.path, target, allowed)
			}
		}
	}
	for dir := range mayImportWithin {
		if !seen[dir] {
			t.Errorf("mayImportWithin has %s, which does not exist", dir)
		}
	}
}

func TestLayout_FilesAndFunctionsStayShort(t *testing.T) {
	for _, s := range sources(t) {
		if n := s.fset.File(s.file.Pos()).LineCount(); n > maxFileLines {
			t.Errorf("%s has %d lines, more than %d", s.path, n, maxFileLines)
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			if n := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line; n > maxFuncLines && !s.isTest() {
				t.Errorf("%s: %s has %d lines, more than %d", s.path, f.Name.Name, n, maxFuncLines)
			}
		}
	}
}

func TestLayout_NoInitFunctions(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s has an init function: what a package needs is passed in", s.path)
			}
		}
	}
}

func TestLayout_OnlyMainExitsTheProcess(t *testing.T) {
	for _, s := range sources(t) {
		if s.isTest() || filepath.Base(s.path) == "main.go" || strings.HasPrefix(s.path, "cmd/gatepass/internal/process/signals.go") {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && (x.Name == "os" && sel.Sel.Name == "Exit" || x.Name == "log" && strings.HasPrefix(sel.Sel.Name, "Fatal")) {
					t.Errorf("%s calls %s.%s", s.path, x.Name, sel.Sel.Name)
				}
			}
			return true
		})
	}
}

func TestLayout_EveryPackageTellsItsStory(t *testing.T) {
	told, packages := map[string]bool{}, map[string]bool{}
	for _, s := range sources(t) {
		dir := filepath.Dir(s.path)
		packages[dir] = packages[dir] || !s.isTest()
		told[dir] = told[dir] || s.file.Doc != nil && len(s.file.Doc.Text()) > 40
	}
	for dir, real := range packages {
		if real && !told[dir] {
			t.Errorf("package %s has no package comment", dir)
		}
	}
}

func TestDocs_DependenciesAreExplained(t *testing.T) {
	mod, doc := read(t, "go.mod"), read(t, "docs/dependencies.md")
	direct := regexp.MustCompile(`(?m)^\t(\S+) v\S+$`).FindAllStringSubmatch(mod, -1)
	if len(direct) < 10 {
		t.Fatalf("only %d direct dependencies found in go.mod", len(direct))
	}
	for _, m := range direct {
		if !strings.Contains(doc, "`"+m[1]+"`") {
			t.Errorf("docs/dependencies.md does not say why %s is used", m[1])
		}
	}
}

func TestDocs_ReadmeNamesOnlyTargetsThatExist(t *testing.T) {
	readme, makefile, tree := read(t, "README.md"), read(t, "Makefile"), read(t, "docs/architecture.md")
	for _, m := range regexp.MustCompile("make ([a-z]+)").FindAllStringSubmatch(readme, -1) {
		if !regexp.MustCompile(`(?m)^` + m[1] + `:`).MatchString(makefile) {
			t.Errorf("README.md says make %s, which the Makefile does not have", m[1])
		}
	}
	for folder := range mayImport {
		if !strings.Contains(tree, folder) {
			t.Errorf("docs/architecture.md does not show the folder %s", folder)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
