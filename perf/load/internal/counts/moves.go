package counts

import (
	"maps"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// Leg is a direction in which clients, and their session keys with them, move.
type Leg uint8

const (
	// LegGate is to a world: the client connects to the world's gate, and the gate claims
	// the client's key.
	LegGate Leg = iota
	// LegBack is back: the client leaves the world and reconnects to the login server,
	// which claims the key.
	LegBack
	// LegCount is the number of legs.
	LegCount
)

var legNames = [LegCount]string{"to the gate", "back"}

func (l Leg) String() string { return legNames[l] }

// MovePart is a part of a move whose time is measured.
type MovePart uint8

const (
	// MoveQueued is from the time at which a move was due to the time at which it began.
	MoveQueued MovePart = iota
	// MoveGreeting is from connecting to receiving the challenge.
	MoveGreeting
	// MoveProof is from sending the proof to being accepted. The key moves during it.
	MoveProof
	// MoveWhole is from the time at which the move was due to its end.
	MoveWhole
	// MovePartCount is the number of parts.
	MovePartCount
)

var movePartNames = [MovePartCount]string{"queued", "greeting", "proof", "whole"}

func (p MovePart) String() string { return movePartNames[p] }

// Moves counts the results of the moves of one leg. Only the goroutine of its engine
// may use it until the engine has ended.
type Moves struct {
	// Done is the number of moves that succeeded, faults the number that failed, by reason.
	Done   uint64
	Faults map[string]uint64
	Times  [MovePartCount]*hdr.Histogram
}

func NewMoves() *Moves {
	t := &Moves{Faults: map[string]uint64{}}
	for part := range t.Times {
		t.Times[part] = hdr.New(histMin, histMax, histDigits)
	}
	return t
}

// Record adds a time. Times above the range count as its end.
func (t *Moves) Record(part MovePart, d time.Duration) {
	_ = t.Times[part].RecordValue(min(int64(d), histMax)) // fails only beyond the range
}

// Merge adds the counts of u.
func (t *Moves) Merge(u *Moves) {
	t.Done += u.Done
	for fault, n := range u.Faults {
		t.Faults[fault] += n
	}
	for part := range t.Times {
		t.Times[part].Merge(u.Times[part])
	}
}

// FaultCounts returns a copy of the number of failed moves by reason.
func (t *Moves) FaultCounts() map[string]uint64 { return maps.Clone(t.Faults) }
