package worlds

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
)

// Limits of a world's registration.
const (
	// MaxCapacity is the largest number of players that a world can declare.
	MaxCapacity = 1_000_000
	// maxRegion is the longest region, in bytes.
	maxRegion = 32
)

// Validate returns every fault of a registration in one error, each with the name of
// its field.
func (r *Registration) Validate() error {
	faults := r.World.faults()
	if !printable(r.Region, 0, maxRegion) {
		faults = append(faults, fmt.Errorf("region: must have at most %d bytes of printable text", maxRegion))
	}
	if r.Incarnation == 0 {
		faults = append(faults, errors.New("incarnation: must not be 0"))
	}
	if r.Capacity == 0 || r.Capacity > MaxCapacity {
		faults = append(faults, fmt.Errorf("capacity: %d is not in 1 … %d", r.Capacity, MaxCapacity))
	}
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("world %d %q: %w", r.ID, head(r.Name), errors.Join(faults...))
}

// equal reports whether both registrations are the same.
func (r *Registration) equal(o *Registration) bool {
	return r.World.equal(&o.World) && r.Region == o.Region && r.Incarnation == o.Incarnation && r.Capacity == o.Capacity
}

// Validate returns an error if the figures of a heartbeat are impossible.
func (b *Beat) Validate() error { return checkLoad(b.Load) }

// Validate returns every fault of an entry in one error.
func (e *Entry) Validate() error {
	return errors.Join(e.Registration.Validate(), checkLoad(e.Load))
}

func checkLoad(load float32) error {
	if load >= 0 && load <= 1 { // false for NaN
		return nil
	}
	return fmt.Errorf("load: %v is not in 0 … 1", load)
}

// shown returns the world as clients see it. It is full if it has no room or if clients
// already wait for it.
func (e *Entry) shown() World {
	w := e.World
	w.Population, w.Queue = 0, 0
	if w.Offline {
		w.Full = false
		return w
	}
	if e.Capacity > 0 {
		w.Population = min(2, float32(e.Players)/float32(e.Capacity)*2)
	}
	w.Queue = e.Queue
	w.Full = w.Full || e.Players >= e.Capacity || e.Queue > 0
	return w
}

// WorldOf returns the id of the world that a node is.
func WorldOf(n Node) (id uint8, ok bool) {
	v, err := strconv.ParseUint(n.Name(), 10, 8)
	return uint8(v), err == nil && n == WorldNode(uint8(v))
}

// roster is a set of worlds, by id, that are valid together. A missing world is nil.
type roster struct {
	entries [MaxWorlds + 1]*Entry
	// networks are all networks in the worlds' routes.
	networks []netip.Prefix
}

// add adds e without a copy, if it is valid together with the others.
func (r *roster) add(e *Entry) error {
	if err := e.Validate(); err != nil {
		return err
	}
	if r.entries[e.ID] != nil {
		return fmt.Errorf("world %d %q: id: it is there twice", e.ID, e.Name)
	}
	networks := e.addNetworks(r.networks)
	if len(networks) > MaxNetworks {
		return fmt.Errorf("world %d %q: routes: they would make %d different networks of all worlds, more than %d", e.ID, e.Name, len(networks), MaxNetworks)
	}
	r.entries[e.ID], r.networks = e, networks
	return nil
}

// all returns copies of the entries, by id.
func (r *roster) all() []Entry {
	all := []Entry{}
	for _, e := range r.entries {
		if e != nil {
			all = append(all, *e)
		}
	}
	return all
}

// RecordFormat is the version of the stored form of a Record. It only increases, and
// ParseRecord reads all earlier versions.
const RecordFormat = 1

// Record is the data of a world that a new manager needs: everything except the figures
// of heartbeats, which are out of date by then. Its JSON contains the format.
type Record struct{ Registration }

// storedRecord is the stored form of a Record. Fields can be added. A field whose
// meaning changes needs a new format.
type storedRecord struct {
	Format      int           `json:"format"`
	ID          uint8         `json:"id"`
	Name        string        `json:"name"`
	Address     string        `json:"address"`
	Routes      []storedRoute `json:"routes,omitempty"`
	Kind        Kind          `json:"kind"`
	Category    uint8         `json:"category"`
	Offline     bool          `json:"offline"`
	Locked      bool          `json:"locked"`
	Full        bool          `json:"full"`
	Builds      []uint16      `json:"builds,omitempty"`
	Region      string        `json:"region"`
	Incarnation uint64        `json:"incarnation,string"`
	Capacity    uint32        `json:"capacity"`
	// Native and NativeBuilds are part of the native protocol. Worlds that were stored
	// earlier have none.
	Native       string   `json:"native,omitempty"`
	NativeBuilds []uint16 `json:"native_builds,omitempty"`
}

type storedRoute struct {
	Network netip.Prefix `json:"network"`
	Address string       `json:"address"`
	Native  string       `json:"native,omitempty"`
}

// MarshalJSON writes the current format.
func (r Record) MarshalJSON() ([]byte, error) {
	s := storedRecord{
		Format: RecordFormat, ID: r.ID, Name: r.Name, Address: r.Address, Kind: r.Kind, Category: r.Category,
		Offline: r.Offline, Locked: r.Locked, Full: r.Full, Builds: r.Builds,
		Region: r.Region, Incarnation: r.Incarnation, Capacity: r.Capacity,
		Native: r.Native, NativeBuilds: r.NativeBuilds,
	}
	for _, route := range r.Routes {
		s.Routes = append(s.Routes, storedRoute(route))
	}
	return json.Marshal(s)
}

// ErrNewerFormat: a newer version of this program stored the Record.
var ErrNewerFormat = errors.New("it is newer than this program")

// UnmarshalJSON reads every format so far. It returns ErrNewerFormat for a newer
// format, and an error for invalid data.
func (r *Record) UnmarshalJSON(b []byte) error {
	var s storedRecord
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("worlds: stored world: %w", err)
	}
	switch {
	case s.Format > RecordFormat:
		return fmt.Errorf("worlds: stored world: format %d is not known, %d is the newest: %w", s.Format, RecordFormat, ErrNewerFormat)
	case s.Format < 1:
		return fmt.Errorf("worlds: stored world: format %d is not known, %d is the newest", s.Format, RecordFormat)
	}
	read := Registration{
		World: World{
			ID: s.ID, Name: s.Name, Address: s.Address, Kind: s.Kind, Category: s.Category,
			Offline: s.Offline, Locked: s.Locked, Full: s.Full, Builds: s.Builds,
			Native: s.Native, NativeBuilds: s.NativeBuilds,
		},
		Region: s.Region, Incarnation: s.Incarnation, Capacity: s.Capacity,
	}
	for _, route := range s.Routes {
		read.Routes = append(read.Routes, Route(route))
	}
	if err := read.Validate(); err != nil {
		return fmt.Errorf("worlds: stored world: %w", err)
	}
	r.Registration = read
	return nil
}
