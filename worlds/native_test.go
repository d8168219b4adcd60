package worlds

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"gatepass/codec/native"
	"gatepass/codec/native/gatepasspb"
)

// nativeWorld returns a world that accepts native clients.
func nativeWorld(id uint8, name string) World {
	w := world(id, name)
	w.Native = fmt.Sprintf("192.0.2.%d:8086", id)
	return w
}

// publishedList returns a published list of these worlds.
func publishedList(tb testing.TB, ws ...World) *List {
	tb.Helper()
	l := NewList(EncodeGrunt)
	if err := l.SetStatic(ws); err != nil {
		tb.Fatal(err)
	}
	if !l.Publish(false) || l.Version() != 1 {
		tb.Fatalf("version %d", l.Version())
	}
	return l
}

func mustSnapshot(tb testing.TB, l *List, ask Ask) []byte {
	tb.Helper()
	b, err := l.NativeSnapshot(ask)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func mustDelta(tb testing.TB, l *List, ask Ask) []byte {
	tb.Helper()
	b, err := l.NativeDelta(ask)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// readFrame returns what a client reads in a body.
func readFrame(tb testing.TB, b []byte) *gatepasspb.ServerFrame {
	tb.Helper()
	var f gatepasspb.ServerFrame
	if err := proto.Unmarshal(b, &f); err != nil {
		tb.Fatal(err)
	}
	return &f
}

func peer(text string) netip.Addr { addr, _ := netip.ParseAddr(text); return addr }

func TestList_Publish_FirstIsVersion1(t *testing.T) {
	l := NewList(EncodeGrunt)
	_, snapshot := l.NativeSnapshot(Ask{Build: 1})
	_, delta := l.NativeDelta(Ask{Build: 1})
	if l.Version() != 0 || !errors.Is(snapshot, ErrUnpublished) || !errors.Is(delta, ErrUnpublished) {
		t.Errorf("version %d before the first: %v, %v", l.Version(), snapshot, delta)
	}
	if !l.Publish(true) || l.Publish(true) || l.Version() != 1 {
		t.Errorf("version %d", l.Version())
	}
	got := readFrame(t, mustSnapshot(t, l, Ask{Build: 1})).GetWorldSnapshot()
	if got.GetVersion() != 1 || !got.GetStale() || len(got.GetWorlds()) != 0 {
		t.Errorf("%v", got)
	}
}

// A change that no native client can see makes no new version.
func TestList_Publish_OnlyWhatNativeClientsSee(t *testing.T) {
	sound := func() World {
		w := nativeWorld(1, "A")
		w.Routes = []Route{{Network: prefix("10.0.0.0/8"), Address: "10.0.0.1:8085", Native: "10.0.0.1:8086"}, route("10.1.0.0/16", "10.1.0.1:8085")}
		return w
	}
	for _, c := range []struct {
		what   string
		change func(*World)
		seen   bool
	}{
		{"nothing", func(*World) {}, false},
		{"address", func(w *World) { w.Address = "192.0.2.9:1" }, false},
		{"address of a route", func(w *World) { w.Routes[0].Address = "192.0.2.9:1" }, false},
		{"builds", func(w *World) { w.Builds = []uint16{5875} }, false},
		{"less than a percent", func(w *World) { w.Population += 0.004 }, false},
		{"a percent", func(w *World) { w.Population += 0.01 }, true},
		{"name", func(w *World) { w.Name = "B" }, true},
		{"queue", func(w *World) { w.Queue = 1 }, true},
		{"kind", func(w *World) { w.Kind = KindRP }, true},
		{"category", func(w *World) { w.Category = 9 }, true},
		{"offline", func(w *World) { w.Offline = true }, true},
		{"locked", func(w *World) { w.Locked = true }, true},
		{"full", func(w *World) { w.Full = true }, true},
		{"native address", func(w *World) { w.Native = "" }, true},
		{"native address of a route", func(w *World) { w.Routes[0].Native = "" }, true},
		{"the same native address of a route", func(w *World) { w.Routes[1].Native = w.Native }, false},
		{"network", func(w *World) { w.Routes[0].Network = prefix("11.0.0.0/8") }, true},
		{"native builds", func(w *World) { w.NativeBuilds = []uint16{1} }, true},
		{"gone", func(w *World) { w.ID = 2 }, true},
	} {
		l, changed := publishedList(t, sound()), sound()
		c.change(&changed)
		if err := l.SetStatic([]World{changed}); err != nil {
			t.Fatal(err)
		}
		if got := l.Publish(false); got != c.seen || l.Version() != map[bool]uint64{true: 2, false: 1}[c.seen] {
			t.Errorf("%s: %v, version %d", c.what, got, l.Version())
		}
	}
	if l := publishedList(t, sound()); !l.Publish(true) {
		t.Error("stale: no version")
	}
}

// Native clients do not receive a change before it is published.
func TestList_NativeSnapshot_IsOfThePublishedList(t *testing.T) {
	l := publishedList(t, nativeWorld(1, "A"))
	if err := l.SetStatic([]World{nativeWorld(1, "B")}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"A", "B"} {
		if got := readFrame(t, mustSnapshot(t, l, Ask{Build: 1})).GetWorldSnapshot(); got.GetWorlds()[0].GetName() != want {
			t.Errorf("%v", got)
		}
		l.Publish(false)
	}
}

func TestList_NativeSnapshot_SaysEverything(t *testing.T) {
	w := nativeWorld(7, "Größe")
	w.Population, w.Queue, w.Locked, w.Full, w.Kind, w.Category = 1.239, 12, true, true, KindRPPvP, 3
	got := readFrame(t, mustSnapshot(t, publishedList(t, w), Ask{Build: 1, Characters: []WorldCharacters{{World: 7, Count: 1}}})).GetWorldSnapshot()
	want := &gatepasspb.WorldSnapshot{Version: 1, Worlds: []*gatepasspb.World{{
		Id: 7, Name: "Größe", Address: "192.0.2.7:8086", Kind: gatepasspb.World_KIND_RP_PVP, Category: 3,
		Status: gatepasspb.World_STATUS_ONLINE, Locked: true, Full: true, PopulationPercent: 124, Queue: 12,
	}}}
	if !proto.Equal(got, want) {
		t.Errorf("%v\nwant %v", got, want)
	}
}

// How clients of different networks and builds see a world, in the list and when they
// select it.
func TestList_Native_ByNetworkAndBuild(t *testing.T) {
	routed := nativeWorld(1, "Routed")
	routed.Routes = []Route{
		{Network: prefix("10.0.0.0/8"), Address: "10.0.0.1:1", Native: "10.0.0.1:2"},
		{Network: prefix("10.1.0.0/16"), Address: "10.1.0.1:1"}, // has the world's Native
		{Network: prefix("fd00::/8"), Address: "[fd00::1]:1", Native: "[fd00::1]:2"},
	}
	inside, none, builds, off := world(2, "Inside only"), world(3, "None"), nativeWorld(4, "Builds"), nativeWorld(5, "Off")
	inside.Routes = []Route{{Network: prefix("10.0.0.0/8"), Address: "10.0.0.2:1", Native: "10.0.0.2:2"}}
	builds.NativeBuilds = []uint16{2, 3}
	off.Offline, off.Full, off.Locked = true, true, true
	l := publishedList(t, routed, inside, none, builds, off)
	const (
		online, offline, mismatch = gatepasspb.World_STATUS_ONLINE, gatepasspb.World_STATUS_OFFLINE, gatepasspb.World_STATUS_MISMATCH
		routedElse, buildsElse    = "192.0.2.1:8086", "192.0.2.4:8086"
	)
	for _, c := range []struct {
		peer      string
		build     uint16
		addresses []string
		statuses  []gatepasspb.World_Status
	}{
		{"203.0.113.1", 2, []string{routedElse, "", "", buildsElse}, []gatepasspb.World_Status{online, mismatch, mismatch, online}},
		{"", 2, []string{routedElse, "", "", buildsElse}, []gatepasspb.World_Status{online, mismatch, mismatch, online}},
		{"10.2.0.1", 1, []string{"10.0.0.1:2", "10.0.0.2:2", "", buildsElse}, []gatepasspb.World_Status{online, online, mismatch, mismatch}},
		{"::ffff:10.1.0.1", 3, []string{routedElse, "10.0.0.2:2", "", buildsElse}, []gatepasspb.World_Status{online, online, mismatch, online}},
		{"fd00::7", 3, []string{"[fd00::1]:2", "", "", buildsElse}, []gatepasspb.World_Status{online, mismatch, mismatch, online}},
	} {
		ask := Ask{Build: c.build, Peer: peer(c.peer)}
		addresses, statuses := append(c.addresses, "192.0.2.5:8086"), append(c.statuses, offline)
		for i, w := range readFrame(t, mustSnapshot(t, l, ask)).GetWorldSnapshot().GetWorlds() {
			if w.GetAddress() != addresses[i] || w.GetStatus() != statuses[i] {
				t.Errorf("%s, %d: %v", c.peer, c.build, w)
			}
			found, ok := l.NativeFind(uint8(w.GetId()), ask)
			if want := (NativeWorld{addresses[i], statuses[i] == mismatch, statuses[i] == offline, i == 4, i == 4}); !ok || found != want {
				t.Errorf("%s, %d: world %d is %+v, not %+v", c.peer, c.build, w.GetId(), found, want)
			}
		}
	}
	if _, ok := l.NativeFind(6, Ask{}); ok {
		t.Error("found what is not there")
	}
}

func TestList_Alternatives(t *testing.T) {
	var ws []World
	for i := range 12 {
		w := nativeWorld(uint8(i+1), "W")
		w.Population = 0.5
		ws = append(ws, w)
	}
	ws[11].Population, ws[10].Population, ws[9].Population = 0.1, 0.2, 0.2
	ws[9].Queue, ws[0].Queue = 3, 1
	ws[1].Offline, ws[2].Locked, ws[3].Native, ws[4].NativeBuilds = true, true, "", []uint16{2}
	l := publishedList(t, ws...)
	if got := l.Alternatives(Ask{Build: 1}, 12); !slices.Equal(got, []uint8{11, 10, 6, 7, 8, 9, 1}) {
		t.Errorf("%v", got)
	}
	if got := l.Alternatives(Ask{Build: 2}, 0); !slices.Equal(got, []uint8{12, 11, 10, 5, 6, 7, 8, 9}) {
		t.Errorf("%v", got)
	}
	if got := NewList(EncodeGrunt).Alternatives(Ask{}, 0); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

func TestList_Native_OneEncodingForAllWhoSeeTheSame(t *testing.T) {
	a, b := nativeWorld(1, "A"), nativeWorld(2, "B")
	a.NativeBuilds = []uint16{1, 2}
	a.Routes = []Route{{Network: prefix("10.0.0.0/8"), Address: "10.0.0.1:1", Native: "10.0.0.1:2"}}
	b.Routes = []Route{route("172.16.0.0/12", "172.16.0.1:1")} // not for native clients
	l := publishedList(t, a, b)
	for _, body := range []func(testing.TB, *List, Ask) []byte{mustSnapshot, mustDelta} {
		first := body(t, l, Ask{Build: 7, Peer: peer("203.0.113.1")})
		for what, ask := range map[string]Ask{
			"again": {Build: 7, Peer: peer("203.0.113.1")}, "another build that nobody names": {Build: 8, Peer: peer("203.0.113.1")},
			"no address": {Build: 7}, "in a network of another protocol": {Build: 7, Peer: peer("172.16.3.3")},
		} {
			if !same(first, body(t, l, ask)) {
				t.Errorf("%s: encoded once more", what)
			}
		}
		if same(first, body(t, l, Ask{Build: 1})) || same(first, body(t, l, Ask{Build: 7, Peer: peer("10.3.3.3")})) {
			t.Error("different clients were sent the same")
		}
		if n := testing.AllocsPerRun(100, func() { body(t, l, Ask{Build: 7}) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
	old := mustSnapshot(t, l, Ask{Build: 7})
	kept := bytes.Clone(old)
	l.Publish(true)
	if same(old, mustSnapshot(t, l, Ask{Build: 7})) || !bytes.Equal(old, kept) {
		t.Error("a change was written into bytes that were given away, or not at all")
	}
}

func TestList_Native_KeepsABoundedNumberOfEncodings(t *testing.T) {
	var ws []World
	for i := range 3 * maxFrames / maxBuilds {
		w := nativeWorld(uint8(i+1), "W")
		for j := range maxBuilds {
			w.NativeBuilds = append(w.NativeBuilds, uint16(1+i*maxBuilds+j))
		}
		ws = append(ws, w)
	}
	l := publishedList(t, ws...)
	for i := range uint16(3 * maxFrames) {
		mustSnapshot(t, l, Ask{Build: 1 + i})
		mustDelta(t, l, Ask{Build: 1 + i})
	}
	if s, d := &l.native.snapshots, &l.native.deltas; len(s.all) != maxFrames || len(s.order) != maxFrames || len(d.all) != maxFrames || len(d.order) != maxFrames {
		t.Errorf("%d and %d encodings", len(s.all), len(d.all))
	}
	l.Publish(true)
	if s, d := &l.native.snapshots, &l.native.deltas; len(s.all)+len(s.order)+len(d.all)+len(d.order) != 0 {
		t.Error("encodings of an older list are kept")
	}
}

// The longest list fits into a server message.
func TestList_NativeSnapshot_TheLongestFits(t *testing.T) {
	for _, body := range []func(testing.TB, *List, Ask) []byte{mustSnapshot, mustDelta} {
		if b := body(t, publishedList(t, longest()...), Ask{Build: 1}); len(b) > native.MaxServerBody {
			t.Errorf("%d bytes, more than %d", len(b), native.MaxServerBody)
		}
	}
}

// longest returns as many worlds as possible, with the longest texts and numbers.
func longest() []World {
	ws := make([]World, MaxWorlds)
	for i := range ws {
		ws[i] = World{
			ID: uint8(i + 1), Name: string(bytes.Repeat([]byte("n"), maxName)), Address: "a:1", Kind: KindRPPvP, Category: 37, Population: 2,
			Locked: true, Full: true, Queue: 1<<32 - 1, Native: string(bytes.Repeat([]byte("a."), (maxAddress-6)/2)) + "a:8086",
		}
	}
	return ws
}

func BenchmarkList_Native(b *testing.B) {
	for _, what := range []struct {
		name string
		body func(testing.TB, *List, Ask) []byte
	}{{"snapshot", mustSnapshot}, {"delta", mustDelta}} {
		for _, kept := range []bool{false, true} {
			b.Run(fmt.Sprintf("body=%s/worlds=255/kept=%v", what.name, kept), func(b *testing.B) {
				ws := longest()
				l := publishedList(b, ws...)
				ws[100].Queue--
				if err := l.SetStatic(ws); err != nil || !l.Publish(false) {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for b.Loop() {
					if !kept {
						l.native.snapshots.clear()
						l.native.deltas.clear()
					}
					if len(what.body(b, l, Ask{Build: 1, Peer: peer("203.0.113.1")})) == 0 {
						b.Fatal("empty")
					}
				}
			})
		}
	}
}

func BenchmarkList_Publish(b *testing.B) {
	ws := longest()
	l := publishedList(b, ws...)
	stale := false
	b.ReportAllocs()
	for b.Loop() {
		stale = !stale
		if !l.Publish(stale) || l.Publish(stale) {
			b.Fatal("not published, or twice")
		}
	}
}
