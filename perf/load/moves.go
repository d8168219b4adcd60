package load

import (
	"maps"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// Leg is a way that a session key moves.
type Leg uint8

const (
	// LegGate is to a world: the client knocks at its gate, and the gate claims
	// the key.
	LegGate Leg = iota
	// LegBack is back: the client leaves the world and reconnects to the login
	// server, which claims the key.
	LegBack
	// LegCount is the number of legs.
	LegCount
)

var legNames = [LegCount]string{"to the gate", "back"}

func (l Leg) String() string { return legNames[l] }

// MovePart is a part of a move whose time is taken.
type MovePart uint8

const (
	// MoveQueued is from when a move was due to when it began.
	MoveQueued MovePart = iota
	// MoveGreeting is from connecting to having the challenge.
	MoveGreeting
	// MoveProof is from sending the proof to being let in: the key moves in it.
	MoveProof
	// MoveWhole is from when the move was due to its end.
	MoveWhole
	// MovePartCount is the number of parts.
	MovePartCount
)

var movePartNames = [MovePartCount]string{"queued", "greeting", "proof", "whole"}

func (p MovePart) String() string { return movePartNames[p] }

// moveTally counts what became of the moves of one leg. It belongs to one engine
// until that has ended.
type moveTally struct {
	done   uint64
	faults map[string]uint64
	times  [MovePartCount]*hdr.Histogram
}

func newMoveTally() *moveTally {
	t := &moveTally{faults: map[string]uint64{}}
	for part := range t.times {
		t.times[part] = hdr.New(histMin, histMax, histDigits)
	}
	return t
}

func (t *moveTally) record(part MovePart, d time.Duration) {
	_ = t.times[part].RecordValue(min(int64(d), histMax)) // fails only beyond the range
}

func (t *moveTally) merge(u *moveTally) {
	t.done += u.done
	for fault, n := range u.faults {
		t.faults[fault] += n
	}
	for part := range t.times {
		t.times[part].Merge(u.times[part])
	}
}

// parts are the times by part.
func (t *moveTally) parts() map[string]Times {
	parts := map[string]Times{}
	for part, h := range t.times {
		if h.TotalCount() > 0 {
			parts[MovePart(part).String()] = timesOf(h)
		}
	}
	return parts
}

func (t *moveTally) faultCounts() map[string]uint64 { return maps.Clone(t.faults) }
