package bus

import (
	"encoding/json"
	"fmt"
	"net/netip"

	"gatepass/worlds"
)

// registrationWire is a Registration. The id stands in the subject, and whether
// the world is there, and how full, is the manager's to say.
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
	Incarnation hex64       `json:"incarnation"`
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
		Full: r.Full, Builds: r.Builds, Region: r.Region, Incarnation: hex64(r.Incarnation), Capacity: r.Capacity,
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

func encodeRegistration(r *worlds.Registration) ([]byte, error) {
	if _, err := worlds.ParseKind(r.Kind.String()); err != nil {
		return nil, err
	}
	b := encodeJSON(registrationToWire(r))
	if len(b) > maxRegister {
		return nil, errTooLarge
	}
	return b, nil
}

// decodeRegistration does not validate what is said; the manager does, and tells
// the world why not. So does this: who writes a world wants to know what is wrong
// with its JSON.
func decodeRegistration(id uint8, b []byte) (*worlds.Registration, error) {
	var w registrationWire
	if len(b) > maxRegister {
		return nil, fmt.Errorf("%w: %d bytes are more than %d", errTooLarge, len(b), maxRegister)
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return nil, fmt.Errorf("%w: %w", errPayload, err)
	}
	r, err := w.value(id)
	if err != nil {
		return nil, fmt.Errorf("world %d %q: kind: %w", id, clip(w.Name), err)
	}
	return &r, nil
}

// registerReply is a manager's answer to a registration.
type registerReply struct {
	OK          bool   `json:"ok"`
	Reason      string `json:"reason,omitempty"`
	HeartbeatMs uint32 `json:"heartbeat_ms,omitempty"`
	Missed      uint32 `json:"missed,omitempty"`
	// RetryMs is after how long a refused world may be taken.
	RetryMs uint32 `json:"retry_ms,omitempty"`
	// Epoch is that of the leader who answers, 0 for one of an earlier version.
	Epoch hex64 `json:"epoch,omitempty"`
}

func decodeRegisterReply(b []byte) (r registerReply, err error) {
	return r, decodeJSON(b, maxRegister, &r)
}

type beatWire struct {
	Incarnation hex64   `json:"incarnation"`
	Population  uint32  `json:"population"`
	Queue       uint32  `json:"queue"`
	Load        float32 `json:"load"`
	Leaving     bool    `json:"leaving,omitempty"`
}

func encodeBeat(b *worlds.Beat) []byte {
	w := beatWire{hex64(b.Incarnation), b.Population, b.Queue, b.Load, b.Leaving}
	if !(w.Load >= 0 && w.Load <= 1) {
		w.Load = 0 // NaN has no encoding, and the rest no meaning
	}
	return encodeJSON(w)
}

func decodeBeat(b []byte) (*worlds.Beat, error) {
	var w beatWire
	if err := decodeJSON(b, maxSmall, &w); err != nil {
		return nil, err
	}
	return &worlds.Beat{Incarnation: uint64(w.Incarnation), Population: w.Population, Queue: w.Queue, Load: w.Load, Leaving: w.Leaving}, nil
}

// beatReply is a manager's answer to a heartbeat.
type beatReply struct {
	Known bool `json:"known"`
	// Epoch is that of the leader who answers, 0 for one of an earlier version.
	Epoch hex64 `json:"epoch,omitempty"`
}

func decodeBeatReply(b []byte) (r beatReply, err error) {
	return r, decodeJSON(b, maxSmall, &r)
}

// versionWire is a Version, and a Pulse.
type versionWire struct {
	Epoch hex64 `json:"epoch"`
	Seq   hex64 `json:"seq"`
}

func versionToWire(v worlds.Version) versionWire { return versionWire{hex64(v.Epoch), hex64(v.Seq)} }
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

func encodePulse(p worlds.Pulse) []byte { return encodeJSON(versionToWire(p.Version)) }

func decodePulse(b []byte) (*worlds.Pulse, error) {
	var w versionWire
	if err := decodeJSON(b, maxSmall, &w); err != nil {
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

func encodeChange(c *worlds.Change) []byte {
	w := changeWire{versionWire: versionToWire(c.Version), Reset: c.Reset}
	if c.Entry != nil {
		e := entryToWire(c.Entry)
		w.World = &e
	}
	return encodeJSON(w)
}

// decodeChange wants a world or a reset; whether the world is valid is the
// member's to tell.
func decodeChange(b []byte) (*worlds.Change, error) {
	var w changeWire
	if err := decodeJSON(b, maxChange, &w); err != nil {
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

func encodeSnapshot(s *worlds.Snapshot) []byte {
	w := snapshotWire{versionWire: versionToWire(s.Version), Worlds: make([]entryWire, len(s.Entries))}
	for i := range s.Entries {
		w.Worlds[i] = entryToWire(&s.Entries[i])
	}
	w.VoucherKey = s.VoucherKey.Bytes()
	return encodeJSON(w)
}

// decodeSnapshot refuses a list with an entry that it does not understand: half
// a list would make worlds vanish.
func decodeSnapshot(b []byte) (*worlds.Snapshot, error) {
	var w snapshotWire
	if err := decodeJSON(b, maxSnapshot, &w); err != nil {
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
