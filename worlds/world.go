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

// Kind is what sort of rules a world has. Records store it as this number.
type Kind uint8

// The kinds that clients know. Clients of the grunt protocol are told KindPvE for
// KindPlain.
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

// String is what ParseKind reads.
func (k Kind) String() string {
	for name, kind := range kindsByName {
		if kind == k {
			return name
		}
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// World is one game world as a client may see it. Its slices are shared by all
// copies and never changed.
type World struct {
	// ID tells worlds apart, 1 … 255; clients of 3.3.5 send it back.
	ID uint8
	// Name is shown to players.
	Name string
	// Address is host:port of the world's gate, for clients that no route is for.
	Address string
	// Routes are the addresses for clients from certain networks: of those that
	// hold the client's address, the most specific one counts.
	Routes []Route
	Kind   Kind
	// Category is the tab it is listed under, counted as clients of 3.3.5 do: 0 to
	// grunt.MaxCategory.
	Category uint8
	// Population is 0.0 (empty) to 2.0 (full).
	Population float32
	Offline    bool
	Locked     bool
	// Full shows it as full, whatever its population.
	Full bool
	// Builds are the client builds it takes; empty for all. A client of another
	// build sees it as of another version.
	Builds []uint16
	// Native is host:port of the gate for native clients that no route is for; empty
	// for a world that takes none.
	Native string
	// NativeBuilds are the builds of native clients it takes; empty for all.
	NativeBuilds []uint16
	// Queue is how many wait in its queue.
	Queue uint32
}

// Route is the address that clients from one network reach a world at.
type Route struct {
	// Network has no bits set behind its length; an IPv4 network is written as
	// one, not mapped into IPv6.
	Network netip.Prefix
	// Address is host:port.
	Address string
	// Native is host:port for native clients; empty takes the world's.
	Native string
}

// Limits of a world. The texts, in bytes, are such that with 255 worlds the
// frame stays far below the 64 KiB its length field can say.
const (
	maxName    = 64
	maxAddress = 128
	maxRoutes  = 8
	maxBuilds  = 32
)

// Validate reports every fault of a world at once, each by the name of its field.
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
	if !(w.Population >= 0 && w.Population <= 2) { // so that NaN is a fault
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

// checkNative is checkAddress for one that may be empty.
func checkNative(s string) error {
	if s == "" {
		return nil
	}
	if err := checkAddress(s); err != nil {
		return fmt.Errorf("native %w", err)
	}
	return nil
}

// routeFaults are the faults of a world's routes.
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

// head is as much of a text that may be of any length as an error should show.
func head(s string) string { return s[:min(len(s), maxAddress)] }

// printable tells whether s is text of that many bytes that shows as it is.
func printable(s string, least, most int) bool {
	return len(s) >= least && len(s) <= most && utf8.ValidString(s) &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// addNetworks adds the networks that the routes name to others, each once. What
// others held stays as it is.
func (w *World) addNetworks(others []netip.Prefix) []netip.Prefix {
	all := slices.Clip(others)
	for _, r := range w.Routes {
		if !slices.Contains(all, r.Network) {
			all = append(all, r.Network)
		}
	}
	return all
}

// takes tells whether a client of that build may enter.
func (w *World) takes(build uint16) bool {
	return len(w.Builds) == 0 || slices.Contains(w.Builds, build)
}

// equal tells whether no client could see a difference.
func (w *World) equal(o *World) bool {
	return w.ID == o.ID && w.Name == o.Name && w.Address == o.Address &&
		slices.Equal(w.Routes, o.Routes) && slices.Equal(w.Builds, o.Builds) &&
		w.Kind == o.Kind && w.Category == o.Category && w.Population == o.Population &&
		w.Offline == o.Offline && w.Locked == o.Locked && w.Full == o.Full &&
		w.Native == o.Native && slices.Equal(w.NativeBuilds, o.NativeBuilds) && w.Queue == o.Queue
}
