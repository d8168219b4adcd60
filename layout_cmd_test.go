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
