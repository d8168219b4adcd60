package gatepass_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// maySeeBus says which packages of the folder worlds each package of the bus may import.
// A node of the region (worlds/bus) and the server know nothing of each other, and neither
// knows the manager.
var maySeeBus = map[string][]string{
	"worlds/bus/wire":           {"worlds"},
	"worlds/bus/credentials":    {"worlds", "worlds/bus/wire"},
	"worlds/bus/internal/retry": {},
	"worlds/bus":                {"worlds", "worlds/bus/wire", "worlds/bus/credentials", "worlds/bus/internal/retry"},
	"worlds/bus/busserver":      {"worlds/bus/wire", "worlds/bus/credentials", "worlds/bus/internal/retry"},
	"worlds/bus/lead":           {"worlds", "worlds/bus", "worlds/bus/wire", "worlds/bus/internal/retry"},
	"worlds/bus/bustest":        {"worlds", "worlds/bus", "worlds/bus/wire", "worlds/bus/credentials", "worlds/bus/busserver"},
}

func TestLayout_PackagesOfTheBusImportOneWay(t *testing.T) {
	for _, s := range sources(t) {
		dir := filepath.ToSlash(filepath.Dir(s.path))
		if s.isTest() || !strings.HasPrefix(dir+"/", "worlds/bus/") {
			continue
		}
		allowed, known := maySeeBus[dir]
		if !known {
			t.Errorf("%s: add the package to maySeeBus with what it may import", s.path)
			continue
		}
		for _, spec := range s.file.Imports {
			target, ours := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), "gatepass/")
			if ours && strings.HasPrefix(target+"/", "worlds/") && !slices.Contains(allowed, target) {
				t.Errorf("%s imports gatepass/%s: %s may import only %v", s.path, target, dir, allowed)
			}
		}
	}
}
