package worlds

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"gatepass/codec/grunt"
)

func world(id uint8, name string) World {
	return World{ID: id, Name: name, Address: "192.0.2.1:8085", Kind: KindPvP, Category: 1, Population: 1.5}
}

func TestList_FrameFor_IsMadeOnceAChangeAndBuild(t *testing.T) {
	made := 0
	l := NewList(func(build uint16, shown []Shown) ([]byte, []int, error) {
		made++
		return fmt.Appendf(nil, "%d worlds for %d", len(shown), build), nil, nil
	})
	frame := func(build uint16, want string) {
		t.Helper()
		if got, err := l.FrameFor(Ask{Build: build}); err != nil || string(got) != want {
			t.Fatalf("frame = %q, %v, want %q", got, err, want)
		}
	}
	frame(5875, "0 worlds for 5875") // an empty list is valid
	if err := l.SetStatic([]World{world(1, "A"), world(2, "B")}); err != nil {
		t.Fatal(err)
	}
	frame(5875, "2 worlds for 5875")
	frame(12340, "2 worlds for 12340")
	frame(5875, "2 worlds for 5875")
	if made != 3 {
		t.Errorf("encoded %d times, want 3", made)
	}
}

func TestList_SetStatic_ChangesNothingWhenAWorldIsNotValid(t *testing.T) {
	l := NewList(EncodeGrunt)
	if err := l.SetStatic([]World{world(1, "A")}); err != nil {
		t.Fatal(err)
	}
	before, _ := l.FrameFor(Ask{Build: 5875})
	err := l.SetStatic([]World{world(1, "A"), world(1, "B"), {ID: 0, Name: "", Address: "nowhere", Population: 3}})
	for _, want := range []string{"used twice", "id: 0", "name", "address", "population"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	if after, _ := l.FrameFor(Ask{Build: 5875}); string(after) != string(before) {
		t.Error("the list changed")
	}
	if err := l.SetStatic(make([]World, MaxWorlds+1)); err == nil {
		t.Error("more worlds than ids were taken")
	}
}

func TestList_FrameFor_SaysWhatCouldNotBeEncoded(t *testing.T) {
	cause := errors.New("too long")
	l := NewList(func(uint16, []Shown) ([]byte, []int, error) { return nil, nil, cause })
	if _, err := l.FrameFor(Ask{Build: 5875}); !errors.Is(err, cause) || !strings.Contains(err.Error(), "5875") {
		t.Fatalf("error = %v", err)
	}
}

func TestParseKind(t *testing.T) {
	for name, want := range map[string]Kind{"pve": 0, "PvP": 1, "normal": 4, "rp": 6, "rp-pvp": 8} {
		if got, err := ParseKind(name); err != nil || got != want {
			t.Errorf("%s = %d, %v, want %d", name, got, err, want)
		}
	}
	if _, err := ParseKind("pvx"); err == nil {
		t.Error("a kind that does not exist was taken")
	}
}

// A client reads what the operator set, in each era.
func TestEncodeGrunt_RoundTrip(t *testing.T) {
	plain, off, locked, other, full := world(1, "Plain"), world(2, "Off"), world(3, "Locked"), world(4, "Other build"), world(5, "Full")
	off.Offline, locked.Locked, other.Builds, full.Full = true, true, []uint16{1}, true
	l := NewList(EncodeGrunt)
	if err := l.SetStatic([]World{plain, off, locked, other, full}); err != nil {
		t.Fatal(err)
	}
	for _, build := range []uint16{4125, 5875, 6299, 7799, 8606, 12340} {
		frame, err := l.FrameFor(Ask{Build: build})
		if err != nil {
			t.Fatal(err)
		}
		realms, n, err := grunt.ParseRealmList(frame, grunt.Build(build))
		if err != nil || n != len(frame) || len(realms) != 5 {
			t.Fatalf("build %d: %d realms in %d of %d bytes: %v", build, len(realms), n, len(frame), err)
		}
		r := realms[0]
		if r.Name != "Plain" || r.Address != plain.Address || r.Population != 1.5 || r.Type != uint8(KindPvP) || r.Category != 1 || r.Flags != 0 {
			t.Errorf("build %d: %+v", build, r)
		}
		if realms[1].Flags&grunt.RealmOffline == 0 {
			t.Errorf("build %d: the world that is offline is not shown so", build)
		}
		if lockShown := realms[2].Locked || realms[2].Flags&grunt.RealmOffline != 0; !lockShown {
			t.Errorf("build %d: the locked world is shown neither locked nor offline", build)
		}
		if realms[4].Flags != grunt.RealmForceFull {
			t.Errorf("build %d: a full world has flags %#x", build, realms[4].Flags)
		}
	}
}

// The longest valid list fits its length field.
func TestEncodeGrunt_TheLongestListFits(t *testing.T) {
	ws := make([]World, MaxWorlds)
	for i := range ws {
		ws[i] = world(uint8(i+1), strings.Repeat("n", maxName))
		ws[i].Builds = []uint16{1, 10505} // so that the version is sent, too
		ws[i].Address = strings.Repeat("a.", (maxAddress-6)/2) + "a:8085"
	}
	l := NewList(EncodeGrunt)
	if err := l.SetStatic(ws); err != nil {
		t.Fatal(err)
	}
	for _, build := range []uint16{4125, 5875, 6299, 12340} {
		if _, err := l.FrameFor(Ask{Build: build}); err != nil {
			t.Errorf("build %d: %v", build, err)
		}
	}
}

func prefix(format string, a ...any) netip.Prefix {
	return netip.MustParsePrefix(fmt.Sprintf(format, a...))
}

// gruntRealm returns one world as clients of a build receive it.
func gruntRealm(t *testing.T, build uint16, w World) grunt.Realm {
	t.Helper()
	l := NewList(EncodeGrunt)
	if err := l.SetStatic([]World{w}); err != nil {
		t.Fatal(err)
	}
	_, realms := mustFrame(t, l, Ask{Build: build})
	return realms[0]
}

// A normal world has the number that all clients know, in every version of the grunt
// protocol.
func TestEncodeGrunt_KindsOnTheWire(t *testing.T) {
	for kind, want := range map[Kind]uint8{KindPlain: 0, KindPvE: 0, KindPvP: 1, KindRP: 6, KindRPPvP: 8} {
		w := world(1, "A")
		w.Kind = kind
		for _, build := range []uint16{4125, 5875, 6299, 7799, 8606, 12340} {
			if got := gruntRealm(t, build, w).Type; got != want {
				t.Errorf("build %d, %v: type %d, want %d", build, kind, got, want)
			}
		}
	}
}

func TestEncodeGrunt_CategoryIsTheErasOwn(t *testing.T) {
	w := world(1, "A")
	w.Category = 9 // German
	for build, want := range map[uint16]uint8{5875: 2, 8606: 9, 12340: 9} {
		if got := gruntRealm(t, build, w).Category; got != want {
			t.Errorf("build %d: category %d, want %d", build, got, want)
		}
	}
}

// A world of another build is offline and shows its version: in its own fields if the
// era has them, otherwise in the name.
func TestEncodeGrunt_AWorldOfAnotherBuild(t *testing.T) {
	w := world(1, "A")
	const told = grunt.RealmOffline | grunt.RealmSpecifyBuild
	for _, c := range []struct {
		build, wants uint16
		name         string
		flags        uint8
		version      [3]uint8
		of           uint16
	}{
		{5875, 12340, "A", told, [3]uint8{3, 3, 5}, 0},                // the parser has taken it out of the name
		{7799, 5875, "A (1,12,1)", grunt.RealmOffline, [3]uint8{}, 0}, // sources disagree on the fields
		{8606, 5875, "A", told, [3]uint8{1, 12, 1}, 5875},
		{12340, 8606, "A", told, [3]uint8{2, 4, 3}, 8606},
		{12340, 9, "A", grunt.RealmOffline, [3]uint8{}, 0}, // an unknown build
	} {
		w.Builds = []uint16{c.wants}
		r := gruntRealm(t, c.build, w)
		if r.Name != c.name || r.Flags != c.flags || r.Version != c.version || r.Build != c.of {
			t.Errorf("build %d sees a world of %d as %+v", c.build, c.wants, r)
		}
	}
	w.Builds = []uint16{12340}
	if r := gruntRealm(t, 12340, w); r.Flags != 0 {
		t.Errorf("its own build: %+v", r)
	}
}
