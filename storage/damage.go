package storage

import (
	"fmt"
	"strings"
)

// Fault is one thing that is wrong with a store.
type Fault struct {
	// File is the name of the part that is damaged, such as a file in the store's folder.
	File string `json:"file"`
	// Problem says what is wrong with it.
	Problem string `json:"problem"`
}

func (f Fault) String() string { return f.File + ": " + f.Problem }

// DamageError lists what is wrong with a store that was not opened. errors.Is says
// that it is an ErrDamaged.
type DamageError struct {
	// Dir is where the store is.
	Dir    string
	Faults []Fault
}

// maxFaultsShown is how many faults the text of a DamageError lists.
const maxFaultsShown = 4

func (e *DamageError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %v, and was not opened; nothing in it was changed", e.Dir, ErrDamaged)
	for _, f := range e.Faults[:min(maxFaultsShown, len(e.Faults))] {
		fmt.Fprintf(&b, "\n  %s", f)
	}
	if more := len(e.Faults) - maxFaultsShown; more > 0 {
		fmt.Fprintf(&b, "\n  and %d more", more)
	}
	b.WriteString("\nPut a backup copy of the whole folder in its place. Without one, 'gatepass store check' tells what is damaged," +
		" and 'gatepass store salvage FILE' writes every account that can still be read to a file for 'gatepass account import'." +
		" Keep the damaged folder until you have all that you need.")
	return b.String()
}

// Is reports whether target is ErrDamaged.
func (e *DamageError) Is(target error) bool { return target == ErrDamaged }
