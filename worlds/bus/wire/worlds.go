package wire

import (
	"encoding/json"
	"fmt"
	"net/netip"

	"gatepass/worlds"
)

// registrationWire is a Registration without the id, which stands in the subject, and
// without the fields that the manager fills in: whether the world is offline, and how
// full it is.
type registrationWire struct {
	Name        string      `json:"name"`
	Address     string      `json:"address"`
	Routes      []routeWire `json:"routes,omitempty"`
	Kind        string      `json:"kind"`
	Category    uint8       `json:"category"`
	Locked      bool        `json:"locked,omitempty"`
	Full        bool        `json:"full,omitempty"`
	Builds      []uint16    `json:"builds,omitempty"`
	Region      string      `json:"region,omitempty"`
	Incarnation Hex64       `json:"incarnation"`
	Capacity    uint32      `json:"capacity"`
	// Native and NativeBuilds are for native clients.
	Native       string   `json:"native,omitempty"`
	NativeBuilds []uint16 `json:"native_builds,omitempty"`
}

type routeWire struct {
	Network netip.Prefix `json:"network"`
	Address string       `json:"address"`
	Native  string       `json:"native,omitempty"`
}

// entryWire is an Entry.
type entryWire struct {
	ID uint8 `json:"id"`
	registrationWire
	Offline bool    `json:"offline,omitempty"`
	Players uint32  `json:"players"`
	Queue   uint32  `json:"queue"`
	Load    float32 `json:"load"`
}

func registrationToWire(r *worlds.Registration) registrationWire {
	w := registrationWire{
		Name: r.Name, Address: r.Address, Kind: r.Kind.String(), Category: r.Category, Locked: r.Locked,
		Full: r.Full, Builds: r.Builds, Region: r.Region, Incarnation: Hex64(r.Incarnation), Capacity: r.Capacity,
		Native: r.Native, NativeBuilds: r.NativeBuilds,
	}
	for _, route := range r.Routes {
		w.Routes = append(w.Routes, routeWire(route))
	}
	return w
}

func (w *registrationWire) value(id uint8) (worlds.Registration, error) {
	kind, err := worlds.ParseKind(w.Kind)
	r := worlds.Registration{
		World: worlds.World{
			ID: id, Name: w.Name, Address: w.Address, Kind: kind, Category: w.Category,
			Locked: w.Locked, Full: w.Full, Builds: w.Builds,
			Native: w.Native, NativeBuilds: w.NativeBuilds,
		},
		Region: w.Region, Incarnation: uint64(w.Incarnation), Capacity: w.Capacity,
	}
	for _, route := range w.Routes {
		r.Routes = append(r.Routes, worlds.Route(route))
	}
	return r, err
}

// EncodeRegistration encodes what a world says of itself. It fails for an unknown kind
// and for a registration that is too large.
func EncodeRegistration(r *worlds.Registration) ([]byte, error) {
	if _, err := worlds.ParseKind(r.Kind.String()); err != nil {
		return nil, err
	}
	b := EncodeJSON(registrationToWire(r))
	if len(b) > MaxRegister {
		return nil, errTooLarge
	}
	return b, nil
}

// DecodeRegistration does not validate the registration; the manager does. Other than the
// other decoders, it returns errors that say what is wrong with the JSON: the manager
// sends them to the world, for the author of the world's program.
func DecodeRegistration(id uint8, b []byte) (*worlds.Registration, error) {
	var w registrationWire
	if len(b) > MaxRegister {
		return nil, fmt.Errorf("%w: %d bytes are more than %d", errTooLarge, len(b), MaxRegister)
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return nil, fmt.Errorf("%w: %w", errPayload, err)
	}
	r, err := w.value(id)
	if err != nil {
		return nil, fmt.Errorf("world %d %q: kind: %w", id, Clip(w.Name), err)
	}
	return &r, nil
}

// RegisterReply is a manager's answer to a registration.
type RegisterReply struct {
	OK          bool   `json:"ok"`
	Reason      string `json:"reason,omitempty"`
	HeartbeatMs uint32 `json:"heartbeat_ms,omitempty"`
	Missed      uint32 `json:"missed,omitempty"`
	// RetryMs is the time after which a refused world may be accepted; 0 if that needs
	// a change of its registration.
	RetryMs uint32 `json:"retry_ms,omitempty"`
	// Epoch is that of the leader that answers. A leader of an earlier version sends
	// none, which reads as 0.
	Epoch Hex64 `json:"epoch,omitempty"`
}

// DecodeRegisterReply reads a manager's answer to a registration.
func DecodeRegisterReply(b []byte) (r RegisterReply, err error) {
	return r, DecodeJSON(b, MaxRegister, &r)
}

type beatWire struct {
	Incarnation Hex64   `json:"incarnation"`
	Population  uint32  `json:"population"`
	Queue       uint32  `json:"queue"`
	Load        float32 `json:"load"`
	Leaving     bool    `json:"leaving,omitempty"`
}

// EncodeBeat encodes a heartbeat of a world.
func EncodeBeat(b *worlds.Beat) []byte {
	w := beatWire{Hex64(b.Incarnation), b.Population, b.Queue, b.Load, b.Leaving}
	if !(w.Load >= 0 && w.Load <= 1) {
		w.Load = 0 // NaN has no encoding, and other values have no meaning
	}
	return EncodeJSON(w)
}

// DecodeBeat reads a heartbeat of a world.
func DecodeBeat(b []byte) (*worlds.Beat, error) {
	var w beatWire
	if err := DecodeJSON(b, MaxSmall, &w); err != nil {
		return nil, err
	}
	return &worlds.Beat{Incarnation: uint64(w.Incarnation), Population: w.Population, Queue: w.Queue, Load: w.Load, Leaving: w.Leaving}, nil
}

// BeatReply is a manager's answer to a heartbeat.
type BeatReply struct {
	Known bool `json:"known"`
	// Epoch is that of the leader that answers. A leader of an earlier version sends
	// none, which reads as 0.
	Epoch Hex64 `json:"epoch,omitempty"`
}

// DecodeBeatReply reads a manager's answer to a heartbeat.
func DecodeBeatReply(b []byte) (r BeatReply, err error) {
	return r, DecodeJSON(b, MaxSmall, &r)
}

// versionWire is a Version, and a Pulse.
type versionWire struct {
	Epoch Hex64 `json:"epoch"`
	Seq   Hex64 `json:"seq"`
}

func versionToWire(v worlds.Version) versionWire { return versionWire{Hex64(v.Epoch), Hex64(v.Seq)} }
func (w versionWire) value() worlds.Version {
	return worlds.Version{Epoch: uint64(w.Epoch), Seq: uint64(w.Seq)}
}

type changeWire struct {
	versionWire
	World *entryWire `json:"world,omitempty"`
	Reset bool       `json:"reset,omitempty"`
}

type snapshotWire struct {
	versionWire
	Worlds []entryWire `json:"worlds"`
	// VoucherKey is for login servers only.
	VoucherKey []byte `json:"voucher_key,omitempty"`
}

// EncodePulse encodes the leader's sign of life, with the version of its list.
func EncodePulse(p worlds.Pulse) []byte { return EncodeJSON(versionToWire(p.Version)) }

// DecodePulse reads the leader's sign of life.
func DecodePulse(b []byte) (*worlds.Pulse, error) {
	var w versionWire
	if err := DecodeJSON(b, MaxSmall, &w); err != nil {
		return nil, err
	}
	return &worlds.Pulse{Version: w.value()}, nil
}

func entryToWire(e *worlds.Entry) entryWire {
	return entryWire{
		ID: e.ID, registrationWire: registrationToWire(&e.Registration),
		Offline: e.Offline, Players: e.Players, Queue: e.Queue, Load: e.Load,
	}
}

func (w *entryWire) value() (worlds.Entry, error) {
	r, err := w.registrationWire.value(w.ID)
	r.Offline = w.Offline
	return worlds.Entry{Registration: r, Players: w.Players, Queue: w.Queue, Load: w.Load}, err
}

// EncodeChange encodes a change of the list of worlds.
func EncodeChange(c *worlds.Change) []byte {
	w := changeWire{versionWire: versionToWire(c.Version), Reset: c.Reset}
	if c.Entry != nil {
		e := entryToWire(c.Entry)
		w.World = &e
	}
	return EncodeJSON(w)
}

// DecodeChange refuses a change that has not exactly one of a world and a reset. It does
// not validate the world; worlds.Member does.
func DecodeChange(b []byte) (*worlds.Change, error) {
	var w changeWire
	if err := DecodeJSON(b, maxChange, &w); err != nil {
		return nil, err
	}
	if (w.World != nil) == w.Reset {
		return nil, errPayload
	}
	c := &worlds.Change{Version: w.versionWire.value(), Reset: w.Reset}
	if w.World == nil {
		return c, nil
	}
	e, err := w.World.value()
	c.Entry = &e
	return c, err
}

// EncodeSnapshot encodes the whole list. It includes the voucher key if s has one: the
// caller wipes the result.
func EncodeSnapshot(s *worlds.Snapshot) []byte {
	w := snapshotWire{versionWire: versionToWire(s.Version), Worlds: make([]entryWire, len(s.Entries))}
	for i := range s.Entries {
		w.Worlds[i] = entryToWire(&s.Entries[i])
	}
	w.VoucherKey = s.VoucherKey.Bytes()
	return EncodeJSON(w)
}

// DecodeSnapshot refuses a list with an entry that it cannot decode: without that entry
// a world would disappear from the list.
func DecodeSnapshot(b []byte) (*worlds.Snapshot, error) {
	var w snapshotWire
	if err := DecodeJSON(b, maxSnapshot, &w); err != nil {
		return nil, err
	}
	defer clear(w.VoucherKey)
	if n := len(w.VoucherKey); w.Worlds == nil || len(w.Worlds) > worlds.MaxWorlds || n != 0 && n != worlds.VoucherKeySize {
		return nil, errPayload
	}
	s := &worlds.Snapshot{VoucherKey: worlds.NewSecret(w.VoucherKey), Version: w.versionWire.value(), Entries: make([]worlds.Entry, len(w.Worlds))}
	for i := range w.Worlds {
		var err error
		if s.Entries[i], err = w.Worlds[i].value(); err != nil {
			return nil, err
		}
	}
	return s, nil
}
