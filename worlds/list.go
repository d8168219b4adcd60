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
	// MaxWorlds is how many worlds a list may have: ids are one byte on the wire.
	MaxWorlds = 255
	// MaxNetworks is how many different networks the routes of all registered
	// worlds may name together, and again those of all configured ones.
	MaxNetworks = 64
	// maxFrames is how many encodings are kept: client builds × ways in which
	// clients' networks differ. The oldest goes when there are more.
	maxFrames = 256
)

// Encode turns worlds into the bytes that clients of one build are sent. In them
// counts[i] is where the byte stands that tells how many characters the account
// has in shown[i].
type Encode func(build uint16, shown []Shown) (frame []byte, counts []int, err error)

// Shown is what one class of clients, those of one build and the same networks,
// sees of a world.
type Shown struct {
	ID   uint8
	Name string
	// Address is the one for the clients' network.
	Address  string
	Kind     Kind
	Category uint8
	// Population is 0.0 (empty) to 2.0 (full).
	Population float32
	// Offline: it cannot be entered now. Locked: a padlock. Full: who comes waits.
	Offline, Locked, Full bool
	// Wants are the builds that it takes, where the clients' is none of them; empty
	// where it takes the clients. Not to be changed.
	Wants []uint16
}

// Ask says who is to be shown the list.
type Ask struct {
	// Build is the client's.
	Build uint16
	// Peer is where the client comes from; the zero address is in no network.
	Peer netip.Addr
	// Characters are the account's; worlds that are not here have 0.
	Characters []WorldCharacters
}

// WorldCharacters is how many characters an account has in a world.
type WorldCharacters struct{ World, Count uint8 }

// List is what a login server shows: the worlds that its Member has learnt of,
// and those of its configuration. Its encodings are made when first asked for,
// one for each build and set of networks, and kept until the list changes. What
// native clients are sent changes only with Publish, so that it has versions. List
// belongs to one goroutine.
type List struct {
	encode Encode
	// static are the configured worlds, registered the learnt ones.
	static, registered []World
	// shown are both by id. Invariant: position[w.ID] is one more than the place
	// of w in it, and 0 for ids that are not.
	shown    []World
	position [MaxWorlds + 1]uint8
	// networks are all that a route of shown names.
	networks []netip.Prefix
	frames   frames[frameKey, frame]
	// native is what native clients are served.
	native nativeLists
}

// frameKey is a class of clients: bit i of networks tells whether they are in
// the list's networks[i].
type frameKey struct {
	build    uint16
	networks networkBits
}

// networkBits tells of each network in a list whether a client is in it.
type networkBits [2 * MaxNetworks / 64]uint64

type frame struct {
	bytes  []byte
	counts []int
}

// NewList makes an empty list, which is legal to show.
func NewList(encode Encode) *List {
	return &List{encode: encode}
}

// SetStatic replaces the configured worlds: those that do not register. One that
// registers with the id of a configured one takes its place. It changes nothing
// when one is not valid, and tells every fault.
func (l *List) SetStatic(ws []World) error {
	if err := validateAll(ws); err != nil {
		return err
	}
	l.static = slices.Clone(ws)
	l.merge()
	return nil
}

// Apply replaces the registered worlds, and tells whether clients would see a
// difference. It changes nothing when an entry is not valid.
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

// Worlds are all worlds by id, as shown; not to be changed.
func (l *List) Worlds() []World { return l.shown }

// Find is the world of that id as shown, or nil.
func (l *List) Find(id uint8) *World {
	if at := l.position[id]; at > 0 {
		return &l.shown[at-1]
	}
	return nil
}

// validateAll reports every fault of a list at once.
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

// networksOf are the different networks that the worlds' routes name.
func networksOf(ws []World) (all []netip.Prefix) {
	for i := range ws {
		all = ws[i].addNetworks(all)
	}
	return all
}

// merge makes what is shown, and tells whether it differs from before.
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

// FrameFor is the list as the asking client is to be sent it. Without characters
// the bytes are shared by all clients of its class; either way they are never
// changed. How many builds there are is bounded by the caller, who lets only
// accepted ones in.
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

// networksWith tells which networks hold peer.
func networksWith(networks []netip.Prefix, peer netip.Addr) (bits networkBits) {
	peer = peer.Unmap()
	for i := range networks {
		if networks[i].Contains(peer) {
			bits[i/64] |= 1 << (i % 64)
		}
	}
	return bits
}

// frame finds or makes the encoding for a class of clients.
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

// show is what a class of clients sees of w.
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
