package worlds

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
)

// Kind is what sort of rules a world has; the numbers are the grunt protocol's
// (10.2).
type Kind uint8

// The kinds that clients know.
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

// World is one game world as a client may see it.
type World struct {
	// ID tells worlds apart, 1 … 255; clients of 3.3.5 send it back.
	ID uint8
	// Name is shown to players.
	Name string
	// Address is host:port of the world's gate.
	Address string
	Kind    Kind
	// Category is the tab it is listed under.
	Category uint8
	// Population is 0.0 (empty) to 2.0 (full).
	Population float32
	Offline    bool
	Locked     bool
	// Builds are the client builds it takes; empty for all. A client of another
	// build sees it as of another version.
	Builds []uint16
}

// The longest texts that a list may carry, in bytes: with 255 worlds the frame
// stays far below the 64 KiB its length field can say.
const (
	maxName    = 64
	maxAddress = 128
)

// Validate reports every fault of a world at once.
func (w *World) Validate() error {
	var faults []error
	if w.ID == 0 {
		faults = append(faults, errors.New("id: 0 is not in 1 … 255"))
	}
	if len(w.Name) == 0 || len(w.Name) > maxName || strings.ContainsRune(w.Name, 0) {
		faults = append(faults, fmt.Errorf("name: must have 1 to %d bytes", maxName))
	}
	if _, port, err := net.SplitHostPort(w.Address); err != nil || port == "" || len(w.Address) > maxAddress || strings.ContainsRune(w.Address, 0) {
		faults = append(faults, fmt.Errorf("address: %q is not host:port of at most %d bytes", w.Address, maxAddress))
	}
	if w.Population < 0 || w.Population > 2 {
		faults = append(faults, fmt.Errorf("population: %v is not in 0 … 2", w.Population))
	}
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("world %d %q: %w", w.ID, w.Name, errors.Join(faults...))
}

// takes tells whether a client of that build may enter.
func (w *World) takes(build uint16) bool {
	return len(w.Builds) == 0 || slices.Contains(w.Builds, build)
}
