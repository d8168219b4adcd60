package worlds

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"

	"gatepass/codec/grunt"
)

// routed returns a list of three worlds, two of them with routes.
func routed(tb testing.TB) *List {
	tb.Helper()
	a, b, c := world(1, "A"), world(2, "B"), world(3, "C")
	a.Routes = []Route{route("10.0.0.0/8", "10.0.0.1:1"), route("10.1.0.0/16", "10.1.0.1:1"), route("fd00::/8", "[fd00::1]:1")}
	b.Routes = []Route{route("10.0.0.0/8", "10.0.0.2:1")}
	l := NewList(EncodeGrunt)
	if err := l.SetStatic([]World{c, a, b}); err != nil {
		tb.Fatal(err)
	}
	return l
}

// mustFrame returns the list as ask gets it, and as a client reads it.
func mustFrame(tb testing.TB, l *List, ask Ask) ([]byte, []grunt.Realm) {
	tb.Helper()
	frame, err := l.FrameFor(ask)
	if err != nil {
		tb.Fatal(err)
	}
	realms, _, err := grunt.ParseRealmList(frame, grunt.Build(ask.Build))
	if err != nil {
		tb.Fatal(err)
	}
	return frame, realms
}

func same(a, b []byte) bool { return &a[0] == &b[0] }

func TestList_FrameFor_TheMostSpecificRouteCounts(t *testing.T) {
	l := routed(t)
	const else1 = "192.0.2.1:8085"
	for peer, want := range map[string][]string{
		"203.0.113.9":     {else1, else1, else1},
		"10.9.9.9":        {"10.0.0.1:1", "10.0.0.2:1", else1},
		"10.1.2.3":        {"10.1.0.1:1", "10.0.0.2:1", else1},
		"::ffff:10.1.2.3": {"10.1.0.1:1", "10.0.0.2:1", else1}, // as a socket for both families tells it
		"fd12::1":         {"[fd00::1]:1", else1, else1},
		"2001:db8::1":     {else1, else1, else1},
		"":                {else1, else1, else1},
	} {
		addr, _ := netip.ParseAddr(peer)
		_, realms := mustFrame(t, l, Ask{Build: 12340, Peer: addr})
		for i := range realms {
			if realms[i].Address != want[i] {
				t.Errorf("%q is sent to %s for %s, want %s", peer, realms[i].Address, realms[i].Name, want[i])
			}
		}
	}
}

func TestList_FrameFor_OneEncodingForAllWhoSeeTheSame(t *testing.T) {
	l := routed(t)
	ask := func(build uint16, peer string) []byte {
		frame, _ := mustFrame(t, l, Ask{Build: build, Peer: netip.MustParseAddr(peer)})
		return frame
	}
	first := ask(12340, "10.1.2.3")
	if !same(first, ask(12340, "10.1.200.1")) || same(first, ask(12340, "10.2.0.1")) || same(first, ask(8606, "10.1.2.3")) {
		t.Error("the encodings are not one for each build and set of networks")
	}
	// A change that no client can see leaves the frames unchanged.
	if changed, err := l.Apply(nil); err != nil || changed || !same(first, ask(12340, "10.1.2.3")) {
		t.Errorf("changed %v, %v", changed, err)
	}
	old := bytes.Clone(first)
	if changed, err := l.Apply([]Entry{{Registration: registration(), Players: 10}}); err != nil || !changed {
		t.Errorf("changed %v, %v", changed, err)
	}
	if same(first, ask(12340, "10.1.2.3")) || !bytes.Equal(first, old) {
		t.Error("a change was written into bytes that were given away, or not at all")
	}
}

func TestList_FrameFor_CharactersAreTheAccountsOwn(t *testing.T) {
	l := routed(t)
	for _, build := range []uint16{4125, 5875, 6299, 8606, 12340} {
		shared, _ := mustFrame(t, l, Ask{Build: build})
		before := bytes.Clone(shared)
		own, realms := mustFrame(t, l, Ask{Build: build, Characters: []WorldCharacters{{World: 3, Count: 9}, {World: 200, Count: 1}, {World: 1, Count: 2}}})
		if realms[0].Characters != 2 || realms[1].Characters != 0 || realms[2].Characters != 9 {
			t.Errorf("build %d: %+v", build, realms)
		}
		if same(own, shared) || !bytes.Equal(shared, before) {
			t.Errorf("build %d: the shared encoding was written to", build)
		}
	}
}

func TestList_Find(t *testing.T) {
	l := routed(t)
	for id, want := range map[uint8]string{1: "A", 2: "B", 3: "C"} {
		if w := l.Find(id); w == nil || w.Name != want {
			t.Errorf("%d: %+v", id, w)
		}
	}
	if l.Find(0) != nil || l.Find(4) != nil {
		t.Error("found what is not there")
	}
}

func TestList_SetStatic_ARegisteredWorldTakesTheConfiguredOnesPlace(t *testing.T) {
	l := routed(t)
	e := Entry{Registration: registration(), Players: 100}
	e.ID, e.Name = 2, "Registered"
	if _, err := l.Apply([]Entry{e}); err != nil {
		t.Fatal(err)
	}
	if w := l.Worlds(); len(w) != 3 || w[0].Name != "A" || w[1].Name != "Registered" || !w[1].Full || w[2].Name != "C" {
		t.Errorf("%+v", w)
	}
	if _, err := l.Apply(nil); err != nil || l.Find(2).Name != "B" {
		t.Errorf("%+v, %v", l.Find(2), err)
	}
}

func TestList_Apply_ChangesNothingWhenAnEntryIsNotValid(t *testing.T) {
	l := routed(t)
	bad := Entry{Registration: registration()}
	bad.Address = "nowhere"
	if changed, err := l.Apply([]Entry{{Registration: registration()}, bad}); err == nil || changed || len(l.Worlds()) != 3 {
		t.Errorf("changed %v, %v", changed, err)
	}
}

// The largest number of different networks of configured and registered worlds.
func TestList_FrameFor_AllNetworksThatMayBe(t *testing.T) {
	l := NewList(EncodeGrunt)
	var static []World
	var registered []Entry
	for i := range MaxNetworks / maxRoutes {
		w, e := world(uint8(1+i), "static"), Entry{Registration: registration()}
		e.ID = uint8(101 + i)
		for j := range maxRoutes {
			w.Routes = append(w.Routes, route(fmt.Sprintf("10.%d.%d.0/24", i, j), fmt.Sprintf("s%d-%d:1", i, j)))
			e.Routes = append(e.Routes, route(fmt.Sprintf("172.16.%d.0/24", i*maxRoutes+j), fmt.Sprintf("r%d-%d:1", i, j)))
		}
		static, registered = append(static, w), append(registered, e)
	}
	_, err := l.Apply(registered)
	if err := l.SetStatic(static); err != nil {
		t.Fatal(err)
	}
	_, realms := mustFrame(t, l, Ask{Build: 12340, Peer: netip.MustParseAddr("172.16.63.1")})
	if err != nil || realms[15].Address != "r7-7:1" || realms[0].Address != "192.0.2.1:8085" {
		t.Errorf("%v, %+v", err, realms)
	}
	static[0].Routes = static[0].Routes[:7]
	more := world(99, "one too many")
	more.Routes = []Route{route("192.168.0.0/24", "a:1"), route("192.168.1.0/24", "a:1")}
	if err := l.SetStatic(append(static, more)); err == nil {
		t.Error("more networks than can be told apart were taken")
	}
}

func TestList_FrameFor_KeepsABoundedNumberOfEncodings(t *testing.T) {
	l := routed(t)
	for build := range uint16(3 * maxFrames) {
		mustFrame(t, l, Ask{Build: 8606 + build})
	}
	if len(l.frames.all) != maxFrames || len(l.frames.order) != maxFrames {
		t.Errorf("%d encodings in an order of %d", len(l.frames.all), len(l.frames.order))
	}
	last, _ := mustFrame(t, l, Ask{Build: 8606 + 3*maxFrames - 1})
	again, _ := mustFrame(t, l, Ask{Build: 8606 + 3*maxFrames - 1})
	if !same(last, again) {
		t.Error("the newest encoding was not kept")
	}
}

func TestList_FrameFor_Allocs(t *testing.T) {
	l := routed(t)
	asks := [2]Ask{{Build: 12340, Peer: netip.MustParseAddr("10.1.2.3")}}
	asks[1] = asks[0]
	asks[1].Characters = []WorldCharacters{{World: 1, Count: 2}}
	for want, ask := range asks {
		if n := testing.AllocsPerRun(100, func() {
			if _, err := l.FrameFor(ask); err != nil {
				t.Fatal(err)
			}
		}); n != float64(want) {
			t.Errorf("%d characters: %v allocations, want %d", len(ask.Characters), n, want)
		}
	}
}

func BenchmarkList_FrameFor(b *testing.B) {
	for _, characters := range []int{0, 2} {
		b.Run(fmt.Sprintf("characters=%d", characters), func(b *testing.B) {
			l := routed(b)
			ask := Ask{Build: 12340, Peer: netip.MustParseAddr("10.1.2.3")}
			ask.Characters = []WorldCharacters{{World: 1, Count: 2}, {World: 2, Count: 1}}[:characters]
			b.ReportAllocs()
			for b.Loop() {
				if f, err := l.FrameFor(ask); err != nil || len(f) == 0 {
					b.Fatal(err)
				}
			}
		})
	}
}
