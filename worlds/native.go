package worlds

import (
	"cmp"
	"errors"
	"math"
	"net/netip"
	"slices"

	"gatepass/codec/native"
)

// maxAlternatives is the most worlds that a client is pointed to.
const maxAlternatives = 8

// ErrUnpublished: no list for native clients is published yet.
var ErrUnpublished = errors.New("worlds: the list was not published yet")

// nativeLists is the source of what native clients receive: the last published list,
// and the one before it, for deltas. A class of clients is those of one build in the
// same networks, as far as build and networks make a difference.
type nativeLists struct {
	version     uint64
	now, before published
	snapshots   frames[nativeKey, []byte]
	deltas      frames[deltaKey, []byte]
}

// published is a list as native clients see it.
type published struct {
	// worlds are by id and never change.
	worlds []World
	stale  bool
	// networks are those in which a world has another address. builds are those that a
	// world names, sorted.
	networks []netip.Prefix
	builds   []uint16
}

// nativeKey is a class of clients: their networks and their build. The build is 0 for
// all builds that no world names.
type nativeKey struct {
	build    uint16
	networks networkBits
}

// deltaKey is a class of clients in the previous list and in the current list.
type deltaKey struct{ before, now nativeKey }

// NativeWorld has the data that decide whether a native client can go to a world.
type NativeWorld struct {
	// Address is the address for the client's network. It is empty if the world accepts
	// no native clients from there.
	Address string
	// Mismatch: the world does not accept that build, or no native clients. Offline:
	// clients cannot enter it now. Full: clients must wait. Locked: it has a padlock.
	Mismatch, Offline, Full, Locked bool
}

// Publish makes the current list, and whether it is stale, what native clients receive,
// if one of them can see a difference. The version then rises by one, and deltas lead
// to it from the version before. The first call makes version 1, even of an empty list.
func (l *List) Publish(stale bool) (changed bool) {
	n := &l.native
	if n.version > 0 && n.now.stale == stale && slices.EqualFunc(l.shown, n.now.worlds, sameNatively) {
		return false
	}
	n.version++
	n.before, n.now = n.now, publish(l.shown, stale)
	n.snapshots.clear()
	n.deltas.clear()
	return true
}

// Version returns the version of the published list. It is 0 before the first.
func (l *List) Version() uint64 { return l.native.version }

// NativeSnapshot returns the whole published list for the client, as the body of a
// frame. All clients of a class share the bytes, which never change. It ignores the
// characters of ask. Its only error is ErrUnpublished.
func (l *List) NativeSnapshot(ask Ask) ([]byte, error) {
	n := &l.native
	if n.version == 0 {
		return nil, ErrUnpublished
	}
	key := n.now.class(ask)
	if body, ok := n.snapshots.get(key); ok {
		return body, nil
	}
	seen := make([]native.World, len(n.now.worlds))
	for i := range seen {
		seen[i] = n.now.worlds[i].seenBy(ask)
	}
	body := native.AppendWorldSnapshot(nil, n.version, n.now.stale, seen)
	n.snapshots.add(key, body)
	return body, nil
}

// NativeDelta returns the step from the previous version to the published one, like
// NativeSnapshot. A client that sees no difference also gets a delta, which has the
// versions only.
func (l *List) NativeDelta(ask Ask) ([]byte, error) {
	n := &l.native
	if n.version == 0 {
		return nil, ErrUnpublished
	}
	key := deltaKey{n.before.class(ask), n.now.class(ask)}
	if body, ok := n.deltas.get(key); ok {
		return body, nil
	}
	delta := native.WorldDelta{From: n.version - 1, To: n.version, Stale: n.now.stale}
	compare(&delta, n.before.worlds, n.now.worlds, ask)
	body := native.AppendWorldDelta(nil, &delta)
	n.deltas.add(key, body)
	return body, nil
}

// compare fills in the differences that a client sees between two lists.
func compare(delta *native.WorldDelta, before, now []World, ask Ask) {
	for len(before) > 0 || len(now) > 0 {
		switch {
		case len(now) == 0 || len(before) > 0 && before[0].ID < now[0].ID:
			delta.Removed = append(delta.Removed, before[0].ID)
			before = before[1:]
		case len(before) == 0 || now[0].ID < before[0].ID:
			delta.Changed = append(delta.Changed, now[0].seenBy(ask))
			now = now[1:]
		default:
			if seen := now[0].seenBy(ask); seen != before[0].seenBy(ask) {
				delta.Changed = append(delta.Changed, seen)
			}
			before, now = before[1:], now[1:]
		}
	}
}

// NativeFind returns the world that the client sees now. ok is false if there is none.
func (l *List) NativeFind(id uint8, ask Ask) (found NativeWorld, ok bool) {
	w := l.Find(id)
	if w == nil {
		return found, false
	}
	address := w.nativeAddress(ask.Peer)
	return NativeWorld{
		Address: address, Mismatch: address == "" || !w.takesNative(ask.Build),
		Offline: w.Offline, Full: w.Full, Locked: w.Locked,
	}, true
}

// Alternatives returns worlds other than except that accept the client now, the
// emptiest first, at most 8.
func (l *List) Alternatives(ask Ask, except uint8) []uint8 {
	var open []*World
	for i := range l.shown {
		w := &l.shown[i]
		if w.ID != except && !w.Offline && !w.Locked && w.takesNative(ask.Build) && w.nativeAddress(ask.Peer) != "" {
			open = append(open, w)
		}
	}
	slices.SortFunc(open, func(a, b *World) int {
		return cmp.Or(cmp.Compare(a.Population, b.Population), cmp.Compare(a.Queue, b.Queue), cmp.Compare(a.ID, b.ID))
	})
	ids := make([]uint8, min(len(open), maxAlternatives))
	for i := range ids {
		ids[i] = open[i].ID
	}
	return ids
}

func publish(shown []World, stale bool) published {
	p := published{worlds: shown, stale: stale}
	for i := range shown {
		w := &shown[i]
		p.builds = append(p.builds, w.NativeBuilds...)
		if slices.ContainsFunc(w.Routes, func(r Route) bool { return r.Native != "" && r.Native != w.Native }) {
			p.networks = w.addNetworks(p.networks)
		}
	}
	slices.Sort(p.builds)
	p.builds = slices.Compact(p.builds)
	return p
}

// class returns the client's class.
func (p *published) class(ask Ask) nativeKey {
	key := nativeKey{networks: networksWith(p.networks, ask.Peer)}
	if _, named := slices.BinarySearch(p.builds, ask.Build); named {
		key.build = ask.Build
	}
	return key
}

// sameNatively reports whether no native client can see a difference.
func sameNatively(a, b World) bool {
	return a.seenByAll() == b.seenByAll() && a.Native == b.Native && slices.Equal(a.NativeBuilds, b.NativeBuilds) &&
		slices.EqualFunc(a.Routes, b.Routes, func(r, o Route) bool {
			return r.Network == o.Network && cmp.Or(r.Native, a.Native) == cmp.Or(o.Native, b.Native)
		})
}

// seenBy returns the world as the client sees it.
func (w *World) seenBy(ask Ask) native.World {
	seen := w.seenByAll()
	seen.Address = w.nativeAddress(ask.Peer)
	if seen.Address == "" || !w.takesNative(ask.Build) {
		seen.Status = native.StatusMismatch
	}
	return seen
}

// seenByAll returns what every native client sees of the world.
func (w *World) seenByAll() native.World {
	seen := native.World{
		ID: w.ID, Name: w.Name, Kind: nativeKind(w.Kind), Category: w.Category, Status: native.StatusOnline,
		Locked: w.Locked, Full: w.Full, Queue: w.Queue,
		PopulationPercent: uint8(min(200, max(0, math.Round(100*float64(w.Population))))),
	}
	if w.Offline {
		seen.Status = native.StatusOffline
	}
	return seen
}

func nativeKind(k Kind) native.WorldKind {
	switch k {
	case KindPvE:
		return native.WorldPvE
	case KindPvP:
		return native.WorldPvP
	case KindRP:
		return native.WorldRP
	case KindRPPvP:
		return native.WorldRPPvP
	}
	return native.WorldNormal
}

// nativeAddress returns where native clients from that address connect. It is empty if
// they cannot.
func (w *World) nativeAddress(peer netip.Addr) string {
	peer = peer.Unmap()
	address, longest := w.Native, -1
	for _, r := range w.Routes {
		if r.Network.Bits() > longest && r.Network.Contains(peer) {
			address, longest = cmp.Or(r.Native, w.Native), r.Network.Bits()
		}
	}
	return address
}

// takesNative reports whether a native client of that build may enter.
func (w *World) takesNative(build uint16) bool {
	return len(w.NativeBuilds) == 0 || slices.Contains(w.NativeBuilds, build)
}
