package storage

import (
	"errors"
	"fmt"
	"strings"
)

// Errors of Open about a folder that is not as a store leaves it.
var (
	// ErrDamaged: files of the store are missing, or hold something else than was
	// written there. It comes as a DamageError. Nothing in the folder was changed.
	ErrDamaged = errors.New("the account store is damaged")
	// ErrUnreadable: a file turned out to be damaged while it was read, in
	// Result.Err. What it holds is there or not, nobody can tell.
	ErrUnreadable = errors.New("a file of the account store is damaged, 'gatepass store check' tells which")
	// ErrNoStore: there is no store to read, and ReadOnly makes none.
	ErrNoStore = errors.New("storage: no store there")
	// ErrReadOnly: a change was asked of a store that was opened with ReadOnly.
	ErrReadOnly = errors.New("storage: opened for reading only")
)

// Fault is one thing that is wrong with a store.
type Fault struct {
	// File is the name of a file in the store's folder.
	File string `json:"file"`
	// Problem says what is wrong with it.
	Problem string `json:"problem"`
}

func (f Fault) String() string { return f.File + ": " + f.Problem }

// DamageError lists what is wrong with a store. It is an ErrDamaged.
type DamageError struct {
	Dir    string
	Faults []Fault
}

// faultsTold is how many faults an error spells out.
const faultsTold = 4

func (e *DamageError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %v, and was not opened; nothing in it was changed", e.Dir, ErrDamaged)
	for _, f := range e.Faults[:min(faultsTold, len(e.Faults))] {
		fmt.Fprintf(&b, "\n  %s", f)
	}
	if more := len(e.Faults) - faultsTold; more > 0 {
		fmt.Fprintf(&b, "\n  and %d more", more)
	}
	b.WriteString("\nPut a backup copy of the whole folder in its place. Without one, 'gatepass store check' tells what is damaged," +
		" and 'gatepass store salvage FILE' writes every account that can still be read to a file for 'gatepass account import'." +
		" Keep the damaged folder until you have all that you need.")
	return b.String()
}

// Is makes it an ErrDamaged.
func (e *DamageError) Is(target error) bool { return target == ErrDamaged }
