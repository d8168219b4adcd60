package engine

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"gatepass/codec/grunt"
	pb "gatepass/codec/native/gatepasspb"
	"gatepass/perf/load/internal/loadtest"
)

func TestWatch_Online_EveryLayout(t *testing.T) {
	other := grunt.Realm{Name: "Elsewhere", Address: "127.0.0.1:1", ID: 1, Flags: grunt.RealmOffline}
	here := grunt.Realm{Name: "Here", Address: "127.0.0.1:2", ID: 2}
	gone := here
	gone.Flags = grunt.RealmOffline
	w := NewWatch("Here", 2)
	for _, build := range []grunt.Build{grunt.Build1121, grunt.Build243, grunt.Build335} {
		online, offline, absent := loadtest.RealmList(t, build, other, here), loadtest.RealmList(t, build, other, gone), loadtest.RealmList(t, build, other)
		got := [3]bool{w.online(online), w.online(offline), w.online(absent)}
		if want := [3]bool{true, false, false}; got != want {
			t.Errorf("build %d: online, offline, absent have it online: %v, want %v", build, got, want)
		}
	}
}

func TestWatch_Sight_OncePerChange(t *testing.T) {
	w := NewWatch("Here", 2)
	if _, ok := w.sight(true, 0); ok || w.awaited(0) {
		t.Error("sighted before any change began")
	}
	change := w.Begin()
	s, ok := w.sight(true, 0)
	if !ok || s.change != change || s.after < 0 {
		t.Errorf("sighting %+v, %v, want one of change %d", s, ok, change)
	}
	if _, ok := w.sight(true, change); ok || w.awaited(change) {
		t.Error("sighted twice")
	}
}

func TestWatch_Read_NativeMessages(t *testing.T) {
	w := NewWatch("Here", 2)
	here := &pb.World{Id: 2, Name: "Here", Status: pb.World_STATUS_ONLINE}
	gone := &pb.World{Id: 2, Name: "Here", Status: pb.World_STATUS_OFFLINE}
	other := &pb.World{Id: 1, Name: "Elsewhere, not Here", Status: pb.World_STATUS_ONLINE}
	snapshot := func(list ...*pb.World) *pb.ServerFrame {
		return &pb.ServerFrame{Body: &pb.ServerFrame_WorldSnapshot{WorldSnapshot: &pb.WorldSnapshot{Worlds: list}}}
	}
	delta := func(list ...*pb.World) *pb.ServerFrame {
		return &pb.ServerFrame{Body: &pb.ServerFrame_WorldDelta{WorldDelta: &pb.WorldDelta{Changed: list}}}
	}
	for name, c := range map[string]struct {
		m             *pb.ServerFrame
		online, about bool
	}{
		"list with it":        {snapshot(other, here), true, true},
		"list with it gone":   {snapshot(other, gone), false, true},
		"list without it":     {snapshot(other), false, false},
		"change to it":        {delta(here), true, true},
		"change that ends it": {delta(gone), false, true},
		"change to another":   {delta(other), false, false},
	} {
		body, err := proto.Marshal(c.m)
		if err != nil {
			t.Fatal(err)
		}
		if online, about := w.readNative(body); online != c.online || about != c.about {
			t.Errorf("%s: online %v, about it %v", name, online, about)
		}
	}
	if _, about := w.readNative([]byte("Here is no message")); about {
		t.Error("what is no message is about it")
	}
}

func TestSpread_SortsTheTimesOfOneChange(t *testing.T) {
	seen := []Sighting{{1, 9}, {2, 5}, {1, 3}, {2, 4}, {1, 6}}
	times := Spread(seen, 1)
	if want := []time.Duration{3, 6, 9}; !slices.Equal(times, want) {
		t.Fatalf("times %v, want %v", times, want)
	}
	for share, want := range map[float64]time.Duration{0: 3, 0.5: 6, 0.99: 9, 1: 9} {
		if got := Quantile(times, share); got != want {
			t.Errorf("quantile %v: %v, want %v", share, got, want)
		}
	}
	if Quantile(nil, 0.5) != 0 {
		t.Error("the quantile of nothing is not 0")
	}
}
