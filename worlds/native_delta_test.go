package worlds

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"gatepass/codec/grunt"

	"gatepass/codec/native/gatepasspb"
)

// TestList_NativeDelta_LeadsToTheNextSnapshot: after any changes of the worlds, a
// client that applies every delta to its snapshot has the same list as a new client, in
// every class of clients. If a list is not published again, no client sees a change.
func TestList_NativeDelta_LeadsToTheNextSnapshot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := NewList(EncodeGrunt)
		clients := newNativeClients()
		states := make(map[uint8]World)
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			for range rapid.IntRange(0, 3).Draw(t, "changes") {
				changeWorld(t, states)
			}
			var ws []World
			for id := range uint8(6) {
				if w, ok := states[id]; ok {
					ws = append(ws, w)
				}
			}
			if err := l.SetStatic(ws); err != nil {
				t.Fatal(err)
			}
			version := l.Version()
			changed := l.Publish(rapid.Bool().Draw(t, "stale"))
			if want := version + map[bool]uint64{true: 1}[changed]; l.Version() != want {
				t.Fatalf("version %d, not %d", l.Version(), want)
			}
			for i := range clients {
				clients[i].follow(t, l, changed)
			}
		}
	})
}

// changeWorld changes one of a few worlds.
func changeWorld(t *rapid.T, states map[uint8]World) {
	id := rapid.Uint8Range(1, 5).Draw(t, "id")
	w, ok := states[id]
	if !ok {
		w = world(id, fmt.Sprint("World ", id))
	}
	gate := func() string { return rapid.SampledFrom([]string{"", "a:1", "b:1"}).Draw(t, "gate") }
	switch rapid.IntRange(0, 8).Draw(t, "what") {
	case 0:
		delete(states, id)
		return
	case 1:
		w.Name = rapid.SampledFrom([]string{"A", "B"}).Draw(t, "name")
	case 2:
		w.Native = gate()
	case 3:
		w.NativeBuilds = rapid.SliceOfN(rapid.Uint16Range(1, 2), 0, 2).Draw(t, "builds")
	case 4:
		w.Routes = nil
		for _, network := range []string{"10.0.0.0/8", "10.1.0.0/16", "fd00::/8"} {
			if rapid.Bool().Draw(t, network) {
				r := route(network, "192.0.2.1:1")
				r.Native = gate()
				w.Routes = append(w.Routes, r)
			}
		}
	case 5:
		w.Population = rapid.Float32Range(0, 2).Draw(t, "population")
	case 6:
		w.Queue = rapid.Uint32().Draw(t, "queue")
	case 7:
		w.Offline, w.Locked, w.Full = rapid.Bool().Draw(t, "offline"), rapid.Bool().Draw(t, "locked"), rapid.Bool().Draw(t, "full")
	case 8:
		w.Kind, w.Category = rapid.SampledFrom([]Kind{KindPvE, KindPvP, KindPlain, KindRP, KindRPPvP}).Draw(t, "kind"), rapid.Uint8Range(0, grunt.MaxCategory).Draw(t, "category")
	}
	states[id] = w
}

// nativeClient updates its list by deltas.
type nativeClient struct {
	ask  Ask
	list *gatepasspb.WorldSnapshot
}

// newNativeClients returns one client of each class.
func newNativeClients() (all []nativeClient) {
	for build := range uint16(3) {
		for _, from := range []string{"", "203.0.113.1", "10.2.0.1", "10.1.0.1", "fd00::1"} {
			all = append(all, nativeClient{ask: Ask{Build: build + 1, Peer: peer(from)}, list: &gatepasspb.WorldSnapshot{}})
		}
	}
	return all
}

// follow applies the delta, if there is one, and compares the lists.
func (c *nativeClient) follow(t *rapid.T, l *List, changed bool) {
	if changed {
		b, err := l.NativeDelta(c.ask)
		if err != nil {
			t.Fatal(err)
		}
		c.apply(t, b)
	}
	b, err := l.NativeSnapshot(c.ask)
	if err != nil {
		t.Fatal(err)
	}
	var f gatepasspb.ServerFrame
	if err := proto.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	if got := f.GetWorldSnapshot(); !proto.Equal(got, c.list) {
		t.Fatalf("%+v: a snapshot has\n%v\nthe deltas\n%v", c.ask, got, c.list)
	}
	now := publish(l.shown, l.native.now.stale)
	for i, w := range now.worlds {
		if w.seenBy(c.ask) != l.native.now.worlds[i].seenBy(c.ask) {
			t.Fatalf("%+v: world %d has changed, and was not published", c.ask, w.ID)
		}
	}
}

func (c *nativeClient) apply(t *rapid.T, b []byte) {
	var f gatepasspb.ServerFrame
	if err := proto.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	d := f.GetWorldDelta()
	if d.GetFrom() != c.list.GetVersion() || d.GetTo() != d.GetFrom()+1 {
		t.Fatalf("a client of version %d is told %v", c.list.GetVersion(), d)
	}
	byID := make(map[uint32]*gatepasspb.World)
	for _, w := range c.list.GetWorlds() {
		byID[w.GetId()] = w
	}
	for _, w := range d.GetChanged() {
		byID[w.GetId()] = w
	}
	for _, id := range d.GetRemoved() {
		if byID[id] == nil {
			t.Fatalf("world %d was not there", id)
		}
		delete(byID, id)
	}
	c.list = &gatepasspb.WorldSnapshot{Version: d.GetTo(), Stale: d.GetStale()}
	for id := range uint32(MaxWorlds + 1) {
		if w := byID[id]; w != nil {
			c.list.Worlds = append(c.list.Worlds, w)
		}
	}
}
