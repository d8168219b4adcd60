package worlds

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// Limits of a list.
const (
	// MaxWorlds is how many worlds a list can have, because ids are one byte on the
	// wire.
	MaxWorlds = 255
	// MaxNetworks is how many different networks the routes of all registered worlds
	// may name in total. The same limit applies to the configured worlds.
	MaxNetworks = 64
	// maxFrames is how many encodings are cached: client builds × combinations of
	// networks. The oldest is dropped first.
	maxFrames = 256
)

// Encode returns the bytes for the clients of one build. counts[i] is the index of the
// byte for the number of the account's characters in shown[i].
type Encode func(build uint16, shown []Shown) (frame []byte, counts []int, err error)

// Shown is a world as one class of clients sees it: those of one build in the same
// networks.
type Shown struct {
	ID   uint8
	Name string
	// Address is the address for the clients' network.
	Address  string
	Kind     Kind
	Category uint8
	// Population is from 0.0 (empty) to 2.0 (full).
	Population float32
	// Offline: clients cannot enter it now. Locked: it has a padlock. Full: clients
	// must wait.
	Offline, Locked, Full bool
	// Wants lists the builds that the world accepts, if the clients' build is not one
	// of them. It is empty if the world accepts the clients. Read only.
	Wants []uint16
}

// Ask describes the client that the list is for.
type Ask struct {
	// Build is the client's build.
	Build uint16
	// Peer is the client's address. The zero address is in no network.
	Peer netip.Addr
	// Characters are the account's character counts. A world without an entry has 0.
	Characters []WorldCharacters
}

// WorldCharacters is the number of characters that an account has in a world.
type WorldCharacters struct{ World, Count uint8 }

// List is what a login server shows: the worlds of its Member and those of its
// configuration. It makes an encoding on first use, one for each build and set of
// networks, and keeps it until the list changes. The list for native clients changes
// only in Publish, because it has versions. List belongs to one goroutine.
type List struct {
	encode Encode
	// static are the configured worlds, registered those of the Member.
	static, registered []World
	// shown holds both, sorted by id. Invariant: position[w.ID] is one more than the
	// index of w in shown, or 0 if the id is not there.
	shown    []World
	position [MaxWorlds + 1]uint8
	// networks are all networks in the routes of shown.
	networks []netip.Prefix
	frames   frames[frameKey, frame]
	// native is the list that native clients receive.
	native nativeLists
}

// frameKey is a class of clients. Bit i of networks is set if they are in the list's
// networks[i].
type frameKey struct {
	build    uint16
	networks networkBits
}

// networkBits has one bit for each network of a list: whether a client is in it.
type networkBits [2 * MaxNetworks / 64]uint64

type frame struct {
	bytes  []byte
	counts []int
}

// NewList returns an empty list. An empty list is valid to show.
func NewList(encode Encode) *List {
	return &List{encode: encode}
}

// SetStatic replaces the configured worlds, which do not register. A world that
// registers with the id of a configured one replaces it. If a world is invalid,
// SetStatic changes nothing and returns every fault.
func (l *List) SetStatic(ws []World) error {
	if err := validateAll(ws); err != nil {
		return err
	}
	l.static = slices.Clone(ws)
	l.merge()
	return nil
}

// Apply replaces the registered worlds. changed reports whether clients see a
// difference. If an entry is invalid, Apply changes nothing.
func (l *List) Apply(entries []Entry) (changed bool, err error) {
	ws := make([]World, len(entries))
	for i := range entries {
		ws[i] = entries[i].shown()
	}
	if err := validateAll(ws); err != nil {
		return false, err
	}
	l.registered = ws
	return l.merge(), nil
}

// Worlds returns all worlds as shown, by id. Read only.
func (l *List) Worlds() []World { return l.shown }

// Find returns the world with that id as shown, or nil.
func (l *List) Find(id uint8) *World {
	if at := l.position[id]; at > 0 {
		return &l.shown[at-1]
	}
	return nil
}

// validateAll returns every fault of a list in one error.
func validateAll(ws []World) error {
	if len(ws) > MaxWorlds {
		return fmt.Errorf("worlds: %d are more than %d", len(ws), MaxWorlds)
	}
	var faults []error
	var seen [MaxWorlds + 1]bool
	for i := range ws {
		faults = append(faults, ws[i].Validate())
		if seen[ws[i].ID] {
			faults = append(faults, fmt.Errorf("world %d: the id is used twice", ws[i].ID))
		}
		seen[ws[i].ID] = true
	}
	if n := len(networksOf(ws)); n > MaxNetworks {
		faults = append(faults, fmt.Errorf("routes: %d different networks are more than %d", n, MaxNetworks))
	}
	return errors.Join(faults...)
}

// networksOf returns the different networks in the worlds' routes.
func networksOf(ws []World) (all []netip.Prefix) {
	for i := range ws {
		all = ws[i].addNetworks(all)
	}
	return all
}

// merge updates shown and reports whether it differs from before.
func (l *List) merge() (changed bool) {
	merged := slices.Clone(l.registered)
	for _, w := range l.static {
		if !slices.ContainsFunc(l.registered, func(r World) bool { return r.ID == w.ID }) {
			merged = append(merged, w)
		}
	}
	slices.SortFunc(merged, func(a, b World) int { return cmp.Compare(a.ID, b.ID) })
	if slices.EqualFunc(merged, l.shown, func(a, b World) bool { return a.equal(&b) }) {
		return false
	}
	l.shown, l.networks, l.position = merged, networksOf(merged), [MaxWorlds + 1]uint8{}
	for i := range merged {
		l.position[merged[i].ID] = uint8(i + 1)
	}
	l.frames.clear()
	return true
}

// FrameFor returns the list in the form that the client receives. Without characters,
// all clients of a class share the bytes. The bytes never change in either case. The
// caller limits the number of builds by refusing unaccepted ones.
func (l *List) FrameFor(ask Ask) ([]byte, error) {
	f, err := l.frame(frameKey{build: ask.Build, networks: networksWith(l.networks, ask.Peer)})
	if err != nil || len(ask.Characters) == 0 {
		return f.bytes, err
	}
	own := append(make([]byte, 0, len(f.bytes)), f.bytes...)
	for _, c := range ask.Characters {
		if at := l.position[c.World]; at > 0 {
			own[f.counts[at-1]] = c.Count
		}
	}
	return own, nil
}

// networksWith returns which networks contain peer.
func networksWith(networks []netip.Prefix, peer netip.Addr) (bits networkBits) {
	peer = peer.Unmap()
	for i := range networks {
		if networks[i].Contains(peer) {
			bits[i/64] |= 1 << (i % 64)
		}
	}
	return bits
}

// frame returns the cached or new encoding for a class of clients.
func (l *List) frame(key frameKey) (frame, error) {
	if f, ok := l.frames.get(key); ok {
		return f, nil
	}
	shown := make([]Shown, len(l.shown))
	for i := range l.shown {
		shown[i] = l.show(&l.shown[i], key)
	}
	bytes, counts, err := l.encode(key.build, shown)
	if err != nil {
		return frame{}, fmt.Errorf("worlds: encode for build %d: %w", key.build, err)
	}
	f := frame{bytes, counts}
	l.frames.add(key, f)
	return f, nil
}

// show returns w as a class of clients sees it.
func (l *List) show(w *World, key frameKey) Shown {
	s := Shown{
		ID: w.ID, Name: w.Name, Address: w.Address, Kind: w.Kind, Category: w.Category, Population: w.Population,
		Offline: w.Offline, Locked: w.Locked, Full: w.Full,
	}
	if !w.takes(key.build) {
		s.Wants = w.Builds
	}
	longest := -1
	for _, r := range w.Routes {
		i := slices.Index(l.networks, r.Network)
		if r.Network.Bits() > longest && key.networks[i/64]&(1<<(i%64)) != 0 {
			s.Address, longest = r.Address, r.Network.Bits()
		}
	}
	return s
}
