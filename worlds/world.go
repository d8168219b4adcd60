package worlds

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"gatepass/codec/grunt"
)

// Kind is a world's set of rules. Records store it as this number.
type Kind uint8

// The kinds that clients know. Grunt clients receive KindPvE for KindPlain.
const (
	KindPvE   Kind = 0
	KindPvP   Kind = 1
	KindPlain Kind = 4
	KindRP    Kind = 6
	KindRPPvP Kind = 8
)

var kindsByName = map[string]Kind{"pve": KindPvE, "pvp": KindPvP, "normal": KindPlain, "rp": KindRP, "rp-pvp": KindRPPvP}

// ParseKind reads pve, pvp, normal, rp or rp-pvp.
func ParseKind(s string) (Kind, error) {
	if k, ok := kindsByName[strings.ToLower(s)]; ok {
		return k, nil
	}
	return 0, fmt.Errorf("worlds: kind %q is not one of pve, pvp, normal, rp, rp-pvp", s)
}

// String returns the name that ParseKind reads.
func (k Kind) String() string {
	for name, kind := range kindsByName {
		if kind == k {
			return name
		}
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// World is one game world as a client may see it. All copies share its slices, which
// never change.
type World struct {
	// ID identifies the world, 1 … 255. Clients of 3.3.5 send it back.
	ID uint8
	// Name is shown to players.
	Name string
	// Address is host:port of the world's gate, for clients without a matching route.
	Address string
	// Routes are the addresses for clients from certain networks. If several networks
	// contain the client's address, the most specific one applies.
	Routes []Route
	Kind   Kind
	// Category is the tab of the realm list, numbered as in clients of 3.3.5: 0 to
	// grunt.MaxCategory.
	Category uint8
	// Population is from 0.0 (empty) to 2.0 (full).
	Population float32
	Offline    bool
	Locked     bool
	// Full shows the world as full, whatever its population.
	Full bool
	// Builds are the client builds that the world accepts; empty means all. A client
	// with another build sees the world as one of another version.
	Builds []uint16
	// Native is host:port of the gate for native clients without a matching route. It
	// is empty if the world accepts no native clients.
	Native string
	// NativeBuilds are the builds of native clients that the world accepts; empty means
	// all.
	NativeBuilds []uint16
	// Queue is the number of clients in its queue.
	Queue uint32
}

// Route is the address of a world for clients from one network.
type Route struct {
	// Network has no bits set after its length. An IPv4 network is not mapped into
	// IPv6.
	Network netip.Prefix
	// Address is host:port.
	Address string
	// Native is host:port for native clients. If empty, the world's Native applies.
	Native string
}

// Limits of a world. The texts, in bytes, are short enough that the frame of 255 worlds
// stays far below the 64 KiB of its length field.
const (
	maxName    = 64
	maxAddress = 128
	maxRoutes  = 8
	maxBuilds  = 32
)

// Validate returns every fault of a world in one error, each with the name of its
// field.
func (w *World) Validate() error {
	faults := w.faults()
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("world %d %q: %w", w.ID, head(w.Name), errors.Join(faults...))
}

func (w *World) faults() []error {
	var faults []error
	if w.ID == 0 {
		faults = append(faults, errors.New("id: 0 is not in 1 … 255"))
	}
	if !printable(w.Name, 1, maxName) {
		faults = append(faults, fmt.Errorf("name: must have 1 to %d bytes of printable text", maxName))
	}
	if err := checkAddress(w.Address); err != nil {
		faults = append(faults, err)
	}
	if w.Category > grunt.MaxCategory {
		faults = append(faults, fmt.Errorf("category: %d is not in 0 … %d; 1 is development, 2 United States, 8 English", w.Category, grunt.MaxCategory))
	}
	if !(w.Population >= 0 && w.Population <= 2) { // refuses NaN too
		faults = append(faults, fmt.Errorf("population: %v is not in 0 … 2", w.Population))
	}
	if len(w.Builds) > maxBuilds || slices.Contains(w.Builds, 0) {
		faults = append(faults, fmt.Errorf("builds: must be at most %d, none of them 0", maxBuilds))
	}
	if err := checkNative(w.Native); err != nil {
		faults = append(faults, err)
	}
	if len(w.NativeBuilds) > maxBuilds || slices.Contains(w.NativeBuilds, 0) {
		faults = append(faults, fmt.Errorf("native builds: must be at most %d, none of them 0", maxBuilds))
	}
	return append(faults, routeFaults(w.Routes)...)
}

// checkNative is checkAddress for an address that may be empty.
func checkNative(s string) error {
	if s == "" {
		return nil
	}
	if err := checkAddress(s); err != nil {
		return fmt.Errorf("native %w", err)
	}
	return nil
}

// routeFaults returns the faults of a world's routes.
func routeFaults(routes []Route) []error {
	if len(routes) > maxRoutes {
		return []error{fmt.Errorf("routes: %d are more than %d", len(routes), maxRoutes)}
	}
	var faults []error
	for i, r := range routes {
		if !r.Network.IsValid() || r.Network != r.Network.Masked() || r.Network.Addr().Is4In6() {
			faults = append(faults, fmt.Errorf("routes: %v is not a network such as 10.0.0.0/8 or fd00::/8", r.Network))
		} else if slices.ContainsFunc(routes[:i], func(o Route) bool { return o.Network == r.Network }) {
			faults = append(faults, fmt.Errorf("routes: %v is there twice", r.Network))
		}
		if err := checkAddress(r.Address); err != nil {
			faults = append(faults, fmt.Errorf("routes: %v: %w", r.Network, err))
		}
		if err := checkNative(r.Native); err != nil {
			faults = append(faults, fmt.Errorf("routes: %v: %w", r.Network, err))
		}
	}
	return faults
}

// head shortens a text for an error message.
func head(s string) string { return s[:min(len(s), maxAddress)] }

// printable reports whether s has least to most bytes and is printable.
func printable(s string, least, most int) bool {
	return len(s) >= least && len(s) <= most && utf8.ValidString(s) &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// addNetworks adds the networks of the routes to others, each once. It does not change
// the array of others.
func (w *World) addNetworks(others []netip.Prefix) []netip.Prefix {
	all := slices.Clip(others)
	for _, r := range w.Routes {
		if !slices.Contains(all, r.Network) {
			all = append(all, r.Network)
		}
	}
	return all
}

// takes reports whether a client of that build may enter.
func (w *World) takes(build uint16) bool {
	return len(w.Builds) == 0 || slices.Contains(w.Builds, build)
}

// equal reports whether no client can see a difference.
func (w *World) equal(o *World) bool {
	return w.ID == o.ID && w.Name == o.Name && w.Address == o.Address &&
		slices.Equal(w.Routes, o.Routes) && slices.Equal(w.Builds, o.Builds) &&
		w.Kind == o.Kind && w.Category == o.Category && w.Population == o.Population &&
		w.Offline == o.Offline && w.Locked == o.Locked && w.Full == o.Full &&
		w.Native == o.Native && slices.Equal(w.NativeBuilds, o.NativeBuilds) && w.Queue == o.Queue
}
