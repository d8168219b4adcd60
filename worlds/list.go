package worlds

import (
	"errors"
	"fmt"
)

// MaxWorlds is how many worlds a list may have: ids are one byte on the wire.
const MaxWorlds = 255

// Encode turns worlds into the bytes that clients of one build are sent.
type Encode func(build uint16, worlds []World) ([]byte, error)

// List is a login server's copy of the worlds, with an encoding for each build
// that has asked. It belongs to one goroutine.
type List struct {
	encode Encode
	worlds []World
	frames map[uint16][]byte
}

// NewList makes an empty list, which is legal to show.
func NewList(encode Encode) *List {
	return &List{encode: encode, frames: make(map[uint16][]byte)}
}

// Set replaces the worlds. It changes nothing when one is not valid.
func (l *List) Set(ws []World) error {
	if len(ws) > MaxWorlds {
		return fmt.Errorf("worlds: %d are more than %d", len(ws), MaxWorlds)
	}
	var faults []error
	seen := make(map[uint8]bool)
	for i := range ws {
		faults = append(faults, ws[i].Validate())
		if seen[ws[i].ID] {
			faults = append(faults, fmt.Errorf("world %d: the id is used twice", ws[i].ID))
		}
		seen[ws[i].ID] = true
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	l.worlds = append([]World(nil), ws...)
	clear(l.frames)
	return nil
}

// Frame is the list as clients of that build are sent it. The bytes are shared
// and never change; a later Set makes new ones. How many builds are kept is
// bounded by the caller, who lets only accepted builds in.
func (l *List) Frame(build uint16) ([]byte, error) {
	if frame, ok := l.frames[build]; ok {
		return frame, nil
	}
	frame, err := l.encode(build, l.worlds)
	if err != nil {
		return nil, fmt.Errorf("worlds: encode for build %d: %w", build, err)
	}
	l.frames[build] = frame
	return frame, nil
}
