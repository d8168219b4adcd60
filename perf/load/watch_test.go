package load

import (
	"slices"
	"testing"
	"time"

	"gatepass/codec/grunt"
)

func mustList(t testing.TB, build grunt.Build, realms ...grunt.Realm) []byte {
	t.Helper()
	list, err := grunt.AppendRealmList(nil, build, realms)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestWatch_Shows_EveryLayout(t *testing.T) {
	other := grunt.Realm{Name: "Elsewhere", Address: "127.0.0.1:1", ID: 1, Flags: grunt.RealmOffline}
	here := grunt.Realm{Name: "Here", Address: "127.0.0.1:2", ID: 2}
	gone := here
	gone.Flags = grunt.RealmOffline
	w := newWatch("Here", 2)
	for _, build := range []grunt.Build{grunt.Build1121, grunt.Build243, grunt.Build335} {
		online, offline, absent := mustList(t, build, other, here), mustList(t, build, other, gone), mustList(t, build, other)
		for change, want := range map[uint32][3]bool{1: {true, false, false}, 2: {false, true, true}} {
			got := [3]bool{w.shows(online, change), w.shows(offline, change), w.shows(absent, change)}
			if got != want {
				t.Errorf("build %d, change %d: online, offline, absent show it: %v, want %v", build, change, got, want)
			}
		}
	}
}

func TestWatch_Sight_OncePerChange(t *testing.T) {
	w := newWatch("Here", 2)
	online := mustList(t, grunt.Build1121, grunt.Realm{Name: "Here", Address: "127.0.0.1:2", ID: 2})
	if _, ok := w.sight(online, 0); ok {
		t.Error("sighted before any change began")
	}
	change := w.begin()
	s, ok := w.sight(online, 0)
	if !ok || s.change != change || s.after < 0 {
		t.Errorf("sighting %+v, %v, want one of change %d", s, ok, change)
	}
	if _, ok := w.sight(online, change); ok {
		t.Error("sighted twice")
	}
}

func TestSpread_SortsTheTimesOfOneChange(t *testing.T) {
	seen := []sighting{{1, 9}, {2, 5}, {1, 3}, {2, 4}, {1, 6}}
	times := spread(seen, 1)
	if want := []time.Duration{3, 6, 9}; !slices.Equal(times, want) {
		t.Fatalf("times %v, want %v", times, want)
	}
	for share, want := range map[float64]time.Duration{0: 3, 0.5: 6, 0.99: 9, 1: 9} {
		if got := quantile(times, share); got != want {
			t.Errorf("quantile %v: %v, want %v", share, got, want)
		}
	}
	if quantile(nil, 0.5) != 0 {
		t.Error("the quantile of nothing is not 0")
	}
}
