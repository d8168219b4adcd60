package gatepass_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// internal is where the packages of the command are.
const internal = "cmd/gatepass/internal/"

// withinCmd says which of the command's packages each of them may import. A folder that
// is not here has the rule of the nearest one above it.
var withinCmd = map[string][]string{
	// A leaf: the errors that say how the program ends.
	internal + "exit":   {},
	internal + "config": {"exit"},
	// What every process does, whatever its role. It knows no command line.
	internal + "process": {"config", "exit"},
	internal + "edge":    {"config", "exit", "process"},
	// What each role starts.
	internal + "process/roles": {"config", "edge", "exit", "process"},
	// The command line: families of commands do not know each other.
	internal + "cli/terminal": {"exit"},
	internal + "cli/account":  {"cli/terminal", "config", "exit"},
	internal + "cli/bench":    {"cli/terminal", "exit", "process"},
	internal + "cli/client":   {"cli/terminal", "config", "exit"},
	internal + "cli/patch":    {"cli/terminal", "config", "exit"},
	internal + "cli/region":   {"cli/terminal", "config", "exit", "process", "process/roles"},
	internal + "cli/serve":    {"cli/terminal", "config", "exit", "process", "process/roles"},
	internal + "cli/store":    {"cli/terminal", "config", "exit"},
	internal + "cli": {"cli/account", "cli/bench", "cli/client", "cli/patch", "cli/region", "cli/serve", "cli/store",
		"cli/terminal", "exit", "process"},
}

func TestLayout_PackagesOfTheCommandImportOneWay(t *testing.T) {
	for _, s := range sources(t) {
		dir := filepath.ToSlash(filepath.Dir(s.path))
		if !strings.HasPrefix(dir, internal) {
			continue
		}
		rule := dir
		for withinCmd[rule] == nil && len(rule) > len(internal) {
			rule = filepath.ToSlash(filepath.Dir(rule))
		}
		if withinCmd[rule] == nil {
			t.Errorf("%s: no rule for this package; add it to withinCmd with what it may import", s.path)
			continue
		}
		for _, spec := range s.file.Imports {
			target, ours := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), "gatepass/"+internal)
			if !ours || target == strings.TrimPrefix(dir, internal) {
				continue
			}
			if !slices.Contains(withinCmd[rule], target) {
				t.Errorf("%s imports %s: %s may import only %v of the command's packages", s.path, target, rule, withinCmd[rule])
			}
		}
	}
}
