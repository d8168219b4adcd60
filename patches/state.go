package patches

import (
	"errors"
	"fmt"
	"strconv"
	"unicode"
)

// State is the state of a patch's file.
type State uint8

const (
	// StateOffered: the file is as it was added, and is sent to clients.
	StateOffered State = iota
	// StateMissing: the file does not exist.
	StateMissing
	// StateChanged: the file has another size.
	StateChanged
	// StateWrong: the file was read and is not the one that was added.
	StateWrong
	// StateUnreadable: the file exists and cannot be opened or read.
	StateUnreadable
	// StateChecking: the file may be the one that was added; it must be read before it is
	// offered.
	StateChecking
	// StateCount is the number of states.
	StateCount
)

var stateNames = [StateCount]string{"offered", "missing", "changed", "wrong", "unreadable", "checking"}

func (s State) String() string {
	if s < StateCount {
		return stateNames[s]
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// stateError is the reason why a file is not offered.
type stateError struct {
	state State
	error
}

// Unwrap skips the error that only adds the state.
func (e *stateError) Unwrap() error { return errors.Unwrap(e.error) }

// stateOf returns the state of a patch with this error.
func stateOf(err error) State {
	var e *stateError
	switch {
	case err == nil:
		return StateOffered
	case errors.As(err, &e):
		return e.state
	}
	return StateUnreadable
}

func missing(p *Patch, path string) error {
	return &stateError{StateMissing, fmt.Errorf("patch %s: %s is missing: bring it back, or gatepass patch remove %s", p.ID, Printable(path), p.ID)}
}

// mend is the advice for a file that is not the one that was added.
const mend = "bring that one back, or put another in its place with gatepass patch add --replace"

func sizeDiffers(p *Patch, path string, is uint64) error {
	return &stateError{StateChanged, differs(p, path, fmt.Errorf("it has %d bytes and had %d", is, p.Size))}
}

func contentDiffers(p *Patch, path string, why error) error {
	return &stateError{StateWrong, differs(p, path, why)}
}

func differs(p *Patch, path string, why error) error {
	return fmt.Errorf("patch %s: %s is not what was added (%w): %s", p.ID, Printable(path), why, mend)
}

// foundWrong returns openFile's error for a file that Verify has found wrong.
func foundWrong(p *Patch, path string) error {
	return &stateError{StateWrong, fmt.Errorf("patch %s: gatepass patch verify found that %s is not what was added (%s): %s", p.ID, Printable(path), p.Wrong, mend)}
}

// errUnchecked means that a file's time is not the recorded one, so the file must be read
// before it is offered.
var errUnchecked = errors.New("was written to or copied since it was added; a server reads it anew before it offers it")

func unchecked(f *File) error {
	return &stateError{StateChecking, fmt.Errorf("patch %s: %s %w", f.ID, Printable(f.file.Name()), errUnchecked)}
}

// Printable quotes a name that contains characters which control a terminal.
func Printable(name string) string {
	for _, r := range name {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return strconv.Quote(name)
		}
	}
	return name
}
