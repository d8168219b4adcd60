package gatepass_test

import (
	"go/ast"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// testPackage is what the test files of a folder say about one another.
type testPackage struct {
	calls map[string][]string // by function: the names it mentions
	skips map[string][]string // by function: the reasons for which it skips
}

func testPackages(t *testing.T) map[string]*testPackage {
	t.Helper()
	all := make(map[string]*testPackage)
	for _, s := range sources(t) {
		if !s.isTest() {
			continue
		}
		p := all[filepath.Dir(s.path)]
		if p == nil {
			p = &testPackage{make(map[string][]string), make(map[string][]string)}
			all[filepath.Dir(s.path)] = p
		}
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
				p.add(f)
			}
		}
	}
	return all
}

func (p *testPackage) add(f *ast.FuncDecl) {
	ast.Inspect(f.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			p.calls[f.Name.Name] = append(p.calls[f.Name.Name], n.Name)
		case *ast.BasicLit:
			p.calls[f.Name.Name] = append(p.calls[f.Name.Name], n.Value)
		case *ast.CallExpr:
			sel, ok := n.Fun.(*ast.SelectorExpr)
			if !ok || !strings.HasPrefix(sel.Sel.Name, "Skip") || sel.Sel.Name == "Skipped" {
				break
			}
			reason := "(none)"
			if len(n.Args) > 0 {
				reason = reasonOf(n.Args[0])
			}
			p.skips[f.Name.Name] = append(p.skips[f.Name.Name], reason)
		}
		return true
	})
}

func reasonOf(e ast.Expr) string {
	if lit, ok := e.(*ast.BasicLit); ok {
		return strings.Trim(lit.Value, `"`)
	}
	return "(computed)"
}

// mentions tells whether a function names what, or calls one that does.
func (p *testPackage) mentions(function, what string, seen map[string]bool) bool {
	if seen[function] {
		return false
	}
	seen[function] = true
	for _, name := range p.calls[function] {
		if name == what || p.mentions(name, what, seen) {
			return true
		}
	}
	return false
}

// A test that does less under the race detector is run once more without it: the
// Makefile finds those by their names, in the folders it lists.
func TestSkips_RaceFreeRunHasWhatTheRaceDetectorSkips(t *testing.T) {
	makefile := read(t, "Makefile")
	variable := func(name string) string {
		m := regexp.MustCompile(`(?m)^` + name + `\s*:= (.+)$`).FindStringSubmatch(makefile)
		if m == nil {
			t.Fatalf("the Makefile has no %s", name)
		}
		return m[1]
	}
	names, folders := regexp.MustCompile(strings.Trim(variable("RACELESS"), "'")), strings.Fields(variable("BUDGETED"))
	found := 0
	for dir, p := range testPackages(t) {
		for function := range p.calls {
			// e2e has a constant of another name, which only says how many players there are.
			if !strings.HasPrefix(function, "Test") || !p.mentions(function, "raceEnabled", make(map[string]bool)) {
				continue
			}
			found++
			if !names.MatchString(function) {
				t.Errorf("%s: %s does less under the race detector, and its name has none of %v: make test never runs all of it", dir, function, names)
			}
			if !listed(folders, dir) {
				t.Errorf("%s: %s does less under the race detector, and BUDGETED of the Makefile lacks the folder", dir, function)
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d such tests found: the search is broken", found)
	}
}

func listed(folders []string, dir string) bool {
	for _, f := range folders {
		folder, below := strings.CutSuffix(strings.TrimPrefix(f, "./"), "/...")
		if dir == folder || below && strings.HasPrefix(dir, folder+"/") {
			return true
		}
	}
	return false
}

// everywhere are the reasons for which a test may skip in CI, too.
var everywhere = map[string]string{
	"the race detector allocates":            "the race-free run has it",
	"the race detector's memory is not ours": "the race-free run has it",
	"the race detector changes sizes":        "the race-free run has it",
	"the race detector's time is not ours":   "the race-free run has it",
	"only Linux has an idler":                "CI is Linux, and the build says what has one",
	"only Linux has /proc: ":                 "fails on Linux",
	"only asked on Linux, macOS and Windows": "looks at the system's name",
	"no right to make links: ":               "Windows; fails elsewhere",
	"never framed":                           "a draw of rapid's that is not of interest",
	"nobody waits":                           "a draw of rapid's that is not of interest",
	"not one line":                           "an input of the fuzzer's that is not of interest",
	"not writable":                           "an input of the fuzzer's that is not of interest",
}

// A test that lacks something on this machine skips, but it fails in CI: else nobody
// notices that it never runs.
func TestSkips_FailInCI(t *testing.T) {
	for dir, p := range testPackages(t) {
		for function, reasons := range p.skips {
			if strings.HasPrefix(function, "Benchmark") {
				continue // no test, and not part of any check
			}
			for _, reason := range reasons {
				if everywhere[reason] == "" && !p.mentions(function, `"CI"`, make(map[string]bool)) {
					t.Errorf("%s: %s skips in CI, too (%s): let it fail where the environment has CI, and say how to run it", dir, function, reason)
				}
			}
		}
	}
}

// The nightly run fuzzes packages by name: one that gets its first target must be there.
func TestFuzz_RunsNightlyForEveryPackage(t *testing.T) {
	var folders []string
	for _, m := range regexp.MustCompile(`(?m)^ +- (\./.+)$`).FindAllStringSubmatch(read(t, ".github/workflows/nightly.yml"), -1) {
		folders = append(folders, strings.Fields(m[1])...)
	}
	found := 0
	for dir, p := range testPackages(t) {
		for function := range p.calls {
			if !strings.HasPrefix(function, "Fuzz") {
				continue
			}
			found++
			if !listed(folders, dir) {
				t.Errorf("%s: %s is not in .github/workflows/nightly.yml", dir, function)
			}
		}
	}
	if found < 40 {
		t.Errorf("only %d targets found: the search is broken", found)
	}
}
