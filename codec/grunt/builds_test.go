package grunt

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The table is that of CMaNGOS: the category that clients of 1.x and 2.x are sent for each
// category of 3.x.
func TestCategoryOf_ByEra(t *testing.T) {
	of1x := []uint8{
		0, 1, 1, 5, 1, 1, 1, 1, 1, 2, 3, 5, 1, 1, 1, 1, 1, 1, 1, 2,
		1, 1, 1, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	}
	if len(of1x) != MaxCategory+1 {
		t.Fatalf("%d categories", len(of1x))
	}
	for category := uint8(0); category <= MaxCategory; category++ {
		of2x := category
		if category > 30 {
			of2x = 0
		}
		for build, want := range map[Build]uint8{
			4125: of1x[category], 5000: of1x[category], Build1121: of1x[category], 6005: of1x[category], 6141: of1x[category],
			6080: of2x, 6180: of2x, 6299: of2x, 7000: of2x, Build243: of2x,
			8607: category, 9947: category, Build335: category, 15595: category,
		} {
			if got := CategoryOf(build, category); got != want {
				t.Errorf("build %d, category %d: %d, want %d", build, category, got, want)
			}
		}
	}
}

// A list of 1.x has these tabs only.
// The versions by which players know the builds, from sources outside this project.
func TestVersionOf_KnownBuilds(t *testing.T) {
	known := strings.Fields(`1.1.2=4125 1.6.1=4544 1.7.1=4695 1.8.4=4878 1.9.4=5086 1.10.2=5302
		1.11.0=5428 1.11.1=5462 1.11.2=5464 1.12.0=5595 1.12.1=5875 1.12.2=6005 1.12.3=6141
		2.0.0=6080 2.0.1=6180 2.0.3=6299 2.0.5=6320 2.2.3=7359 2.3.0=7561 2.3.2=7741 2.3.3=7799 2.4.0=8089 2.4.3=8606
		3.1.3=9947 3.2.2=10505 3.3.0=11159 3.3.2=11403 3.3.3=11723 3.3.5=12340`)
	for _, want := range known {
		_, number, _ := strings.Cut(want, "=")
		b, err := strconv.ParseUint(number, 10, 16)
		if err != nil {
			t.Fatal(err)
		}
		v, ok := versionOf(Build(b))
		if got := fmt.Sprintf("%d.%d.%d=%d", v[0], v[1], v[2], b); !ok || got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if len(known) != len(versions) {
		t.Errorf("%d builds, want %d", len(versions), len(known))
	}
}

func TestCategoryOf_1xKnowsFive(t *testing.T) {
	for category := range 256 {
		if got := CategoryOf(Build1121, uint8(category)); !slices.Contains([]uint8{0, 1, 2, 3, 5}, got) {
			t.Errorf("category %d: %d", category, got)
		}
	}
}

func TestRealm_Wants(t *testing.T) {
	for _, c := range []struct {
		builds  []uint16
		flags   uint8
		version [3]uint8
		build   uint16
	}{
		{[]uint16{5875, 6005, 6141}, RealmOffline | RealmSpecifyBuild, [3]uint8{1, 12, 1}, 5875},
		{[]uint16{12340}, RealmOffline | RealmSpecifyBuild, [3]uint8{3, 3, 5}, 12340},
		{[]uint16{9, 8606}, RealmOffline | RealmSpecifyBuild, [3]uint8{2, 4, 3}, 8606},
		{[]uint16{9}, RealmOffline, [3]uint8{}, 0},
		{nil, RealmOffline, [3]uint8{}, 0},
	} {
		r := Realm{Flags: RealmForceFull}
		r.Wants(c.builds)
		if want := (Realm{Flags: c.flags | RealmForceFull, Version: c.version, Build: c.build}); r != want {
			t.Errorf("%v: %+v, want %+v", c.builds, r, want)
		}
	}
}

func TestPhase_Takes_NothingInAPhaseThatIsNone(t *testing.T) {
	for op := range 256 {
		if phaseCount.takes(byte(op)) || phase(255).takes(byte(op)) {
			t.Errorf("opcode %#x", op)
		}
	}
}
