package grunt

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"gatepass/codec"
)

// listBuilds has one build of each layout.
var listBuilds = []Build{4125, Build1121, 6299, 6320, Build335}

// mustList encodes realms.
func mustList(t testing.TB, build Build, realms ...Realm) []byte {
	t.Helper()
	b, err := AppendRealmList(nil, build, realms)
	if err != nil {
		t.Fatalf("build %d: %v", build, err)
	}
	return b
}

// mustParseList parses one whole list.
func mustParseList(t testing.TB, build Build, b []byte) []Realm {
	t.Helper()
	realms, n, err := ParseRealmList(b, build)
	if err != nil || n != len(b) {
		t.Fatalf("build %d: %d of %d bytes, %v", build, n, len(b), err)
	}
	return realms
}

func TestRealmList_SizeCountsFromBehindItself(t *testing.T) {
	for _, build := range listBuilds {
		b := mustList(t, build, Realm{Name: "N", Address: "A"})
		if size := int(b[1]) | int(b[2])<<8; size != len(b)-3 {
			t.Errorf("build %d: size %d of %d bytes", build, size, len(b))
		}
	}
}

func TestRealmList_Conflict_CountIsAByteUpToV5AndTwoFromV6(t *testing.T) {
	for _, build := range listBuilds {
		want := "0000000001"
		if LayoutOf(build) >= Layout6 {
			want = "000000000100"
		}
		b := mustList(t, build, Realm{Type: 8})
		mustBytes(t, LayoutOf(build).String(), b[3:3+len(want)/2], want)
	}
}

func TestRealmList_TypeIsFourBytesFor1xAndLockedOnlyLater(t *testing.T) {
	r := Realm{Type: 6, Flags: RealmForceBlue, Name: "N", Locked: true}
	for build, want := range map[Build]string{
		Build1121: "06000000" + "22" + "4e00", // locked shows as offline
		6299:      "06" + "01" + "20" + "4e00",
		Build335:  "06" + "01" + "20" + "4e00",
	} {
		b := mustList(t, build, r)
		from := 8
		if LayoutOf(build) >= Layout6 {
			from = 9
		}
		mustBytes(t, LayoutOf(build).String(), b[from:from+len(want)/2], want)
	}
}

func TestRealmList_FooterByEra(t *testing.T) {
	for _, build := range listBuilds {
		want := "1000"
		if build < firstLayout5 {
			want = "0200"
		}
		b := mustList(t, build)
		mustBytes(t, LayoutOf(build).String(), b[len(b)-2:], want)
	}
}

func TestRealmList_FooterIsNotLookedAt(t *testing.T) {
	for _, build := range listBuilds {
		b := mustList(t, build, Realm{Name: "N"})
		b[len(b)-2], b[len(b)-1] = 0xab, 0xcd
		mustParseList(t, build, b)
	}
}

func TestRealmList_Conflict_VersionFollowsInV8Only(t *testing.T) {
	r := Realm{Flags: RealmSpecifyBuild, Name: "N", Address: "A", ID: 9, Version: [3]uint8{1, 12, 1}, Build: 5875}
	const v8 = "04" + "4e00" + "4100" + "00000000" + "000009" + "010c01f316" + "1000"
	// The flag is cleared, and the name has the version.
	const v5 = "00" + "4e2028312c31322c312900" + "4100" + "00000000" + "000009" + "1000"
	const v3 = "04" + "4e2028312c31322c312900" + "4100" + "00000000" + "000009" + "0200"
	for build, want := range map[Build]string{4125: v3, Build1121: v3, 6299: v5, 6320: v5, Build243: v8, Build335: v8} {
		b := mustList(t, build, r)
		mustBytes(t, LayoutOf(build).String(), b[len(b)-len(want)/2:], want)
		back := mustParseList(t, build, b)[0]
		l := LayoutOf(build)
		name := "N"
		if l >= Layout5 && l < Layout8 {
			name = "N (1,12,1)"
		}
		if back.Name != name || l < Layout5 && back.Version != r.Version || l >= Layout8 && back != r {
			t.Errorf("build %d: %+v", build, back)
		}
	}
}

func TestRealmList_FlagWithoutAVersionIsCleared(t *testing.T) {
	for _, build := range listBuilds {
		r := mustParseList(t, build, mustList(t, build, Realm{Flags: 0xff, Name: "N"}))[0]
		if r.Flags != 0xff&^RealmSpecifyBuild || r.Name != "N" {
			t.Errorf("build %d: flags %02x, name %q", build, r.Flags, r.Name)
		}
	}
}

func TestRealmList_NamesThatOnlyLookLikeAVersion(t *testing.T) {
	for _, name := range []string{
		"", "N", "N (1,12)", "N (1,12,1", "N (01,12,1)", "N (1,12,1) ", "N (1,12,1,0)", "N (+1,12,1)",
		"N (1.12.1)", "N (256,0,0)", "N (0,0,0)", "N(1,12,1)", " (", ")",
	} {
		if got, v := cutVersionSuffix(name); got != name || v != [3]uint8{} {
			t.Errorf("%q: %q and %v", name, got, v)
		}
	}
}

func TestRealmList_PopulationLabels(t *testing.T) {
	for population, want := range map[float32]string{
		PopulationGreen: "00004843", PopulationFull: "0000c843", PopulationBlue: "00001644", 0: "00000000", 2: "00000040",
	} {
		b := mustList(t, Build335, Realm{Population: population})
		mustBytes(t, "population", b[len(b)-9:len(b)-5], want)
		if got := mustParseList(t, Build335, b)[0].Population; got != population {
			t.Errorf("%v came back as %v", population, got)
		}
	}
}

func TestAppendRealmList_Bounds(t *testing.T) {
	prefix := []byte("before")
	long := strings.Repeat("x", math.MaxUint16)
	cases := []struct {
		what   string
		build  Build
		realms []Realm
		want   error
	}{
		{"255 realms in 1.x", Build1121, make([]Realm, 255), nil},
		{"256 realms in 1.x", Build1121, make([]Realm, 256), ErrRealmCount},
		{"256 realms in v5", 6299, make([]Realm, 256), ErrRealmCount},
		{"256 realms in v6", 6320, make([]Realm, 256), nil},
		{"as long as fits", Build335, []Realm{{Name: long[:65535-8-12]}}, nil},
		{"a byte too long", Build335, []Realm{{Name: long[:65535-8-12+1]}}, ErrRealmListSize},
		{"far too long", Build335, []Realm{{Name: long}, {Name: long}}, ErrRealmListSize},
		{"too many bytes", Build335, make([]Realm, 65535), ErrRealmListSize},
		{"too many to count", Build335, make([]Realm, 65536), ErrRealmCount},
		{"zero in a name", Build335, []Realm{{Name: "a\x00b"}}, ErrRealmText},
		{"zero in an address", Build335, []Realm{{}, {Address: "\x00"}}, ErrRealmText},
	}
	for _, c := range cases {
		out, err := AppendRealmList(prefix, c.build, c.realms)
		if err != c.want || !bytes.HasPrefix(out, prefix) || err != nil && len(out) != len(prefix) {
			t.Errorf("%s: %d bytes, %v, want %v", c.what, len(out), err, c.want)
		}
		if err == nil {
			if got := mustParseList(t, c.build, out[len(prefix):]); len(got) != len(c.realms) {
				t.Errorf("%s: %d realms back", c.what, len(got))
			}
		}
	}
}

func TestParseRealmList_RealmsMustFillTheSize(t *testing.T) {
	for _, build := range listBuilds {
		good := mustList(t, build, Realm{Name: "N", Address: "A"})
		for what, change := range map[string]func(b []byte) []byte{
			"size one less": func(b []byte) []byte { b[1]--; return b },
			"size one more": func(b []byte) []byte { b[1]++; return append(b, 0) },
			"no size":       func(b []byte) []byte { b[1] = 0; return b },
			"a realm more":  func(b []byte) []byte { b[7]++; return b },
			"a realm less":  func(b []byte) []byte { b[7]--; return b },
			"no end of text": func(b []byte) []byte {
				return bytes.ReplaceAll(b, []byte("N\x00A\x00\x00\x00\x00\x00\x00"), []byte("NxAxxxxxx"))
			},
		} {
			b := change(bytes.Clone(good))
			if realms, n, err := ParseRealmList(b, build); n != 0 || realms != nil || err != badRealmList {
				t.Errorf("build %d, %s: %+v, %d, %v", build, what, realms, n, err)
			}
		}
	}
}

func TestParseRealmList_WideTypeIsRefused(t *testing.T) {
	b := mustList(t, Build1121, Realm{Name: "N"})
	b[9] = 1 // the second byte of the u32
	if _, _, err := ParseRealmList(b, Build1121); err != badRealmType {
		t.Error(err)
	}
}

func TestParseRealmList_AClaimedCountAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	b := mustHex(t, "10080000000000ffff1000")
	if n := testing.AllocsPerRun(10, func() {
		if _, _, err := ParseRealmList(b, Build335); err != badRealmList {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAppendRealmList_Allocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	realms := []Realm{{Flags: RealmSpecifyBuild, Name: "N", Version: [3]uint8{3, 3, 5}, Build: 12340}}
	buf := make([]byte, 0, 256)
	for _, build := range listBuilds {
		if n := testing.AllocsPerRun(100, func() {
			if _, err := AppendRealmList(buf, build, realms); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("build %d: %v allocations", build, n)
		}
	}
}

func TestRealmListRequest(t *testing.T) {
	mustBytes(t, "request", AppendRealmListRequest(nil), "1000000000")
	if n, err := ParseRealmListRequest(mustHex(t, "10ffffffff10")); n != 5 || err != nil { // the u32 is ignored
		t.Errorf("%d, %v", n, err)
	}
	if n, err := ParseRealmListRequest(nil); n != 0 || err != codec.ErrShort {
		t.Errorf("%d, %v", n, err)
	}
}

// Writing Characters at the offsets gives the same bytes as encoding them.
func TestAppendRealmListCounts_AreWhereTheCharactersAre(t *testing.T) {
	realms := []Realm{
		{Name: "One", Address: "a:1", Category: 7, ID: 1},
		{Name: "Two", Address: "b:22", Flags: RealmSpecifyBuild, Version: [3]uint8{3, 3, 5}, Build: 12340, ID: 2},
		{Flags: RealmSpecifyBuild, ID: 3},
	}
	for _, build := range listBuilds {
		prefix := []byte("before")
		counts := make([]int, len(realms))
		out, err := AppendRealmListCounts(prefix, build, realms, counts)
		if err != nil {
			t.Fatal(err)
		}
		out = out[len(prefix):]
		full := make([]Realm, len(realms))
		for i, at := range counts {
			full[i] = realms[i]
			full[i].Characters = uint8(100 + i)
			out[at] = full[i].Characters
		}
		if want := mustList(t, build, full...); !bytes.Equal(out, want) {
			t.Errorf("build %d: offsets %v give\n%x, want\n%x", build, counts, out, want)
		}
	}
}

func TestAppendRealmListCounts_Allocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	realms, counts, buf := make([]Realm, 3), make([]int, 3), make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := AppendRealmListCounts(buf, Build335, realms, counts); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
