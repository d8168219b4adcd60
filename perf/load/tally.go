package load

import (
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// Part is a part of a login whose time is taken.
type Part uint8

const (
	// PartQueued is from when a login was due to when it began: in an open loop
	// how far the client itself is behind, or how long all its connections were
	// taken.
	PartQueued Part = iota
	// PartConnect is until the TCP connection stands.
	PartConnect
	// PartChallenge is from sending the name to having the server's key.
	PartChallenge
	// PartProof is from sending the password proof to having the verdict.
	PartProof
	// PartList is from asking for the realm list to having all of it.
	PartList
	// PartWhole is from when the login was due to its last byte, the client's
	// own arithmetic included.
	PartWhole
	// PartCount is the number of parts.
	PartCount
)

var partNames = [PartCount]string{"queued", "connect", "challenge", "proof", "list", "whole"}

func (p Part) String() string { return partNames[p] }

// Plan is what a login sets out to do.
type Plan uint8

const (
	// PlanRight: log in with the right password and fetch the realm list.
	PlanRight Plan = iota
	// PlanWrong: an account that exists, with another password; to be refused.
	PlanWrong
	// PlanUnknown: an account that does not exist; to be refused.
	PlanUnknown
	// PlanCount is the number of plans.
	PlanCount
)

var planNames = [PlanCount]string{"right password", "wrong password", "unknown account"}

func (p Plan) String() string { return planNames[p] }

// Fault is a way in which a login did not go as planned.
type Fault uint8

const (
	// FaultConnect: the connection was refused or not made.
	FaultConnect Fault = iota
	// FaultPorts: no local port was free towards the target.
	FaultPorts
	// FaultFiles: this process may not open more descriptors.
	FaultFiles
	// FaultTimeout: no answer in time.
	FaultTimeout
	// FaultClosed: the server closed the connection in the middle.
	FaultClosed
	// FaultReset: the connection broke in the middle.
	FaultReset
	// FaultGarbage: the answer is none that the protocol knows there.
	FaultGarbage
	// FaultRefused: a right password was refused, or the server is busy.
	FaultRefused
	// FaultProof: the server's own proof is wrong.
	FaultProof
	// FaultAccepted: a wrong password or an unknown account got in.
	FaultAccepted
	// FaultCount is the number of faults.
	FaultCount
)

var faultNames = [FaultCount]string{
	"connect", "no free port", "no free descriptor", "timeout", "closed by server", "connection reset",
	"garbage", "refused", "wrong server proof", "wrongly accepted",
}

func (f Fault) String() string { return faultNames[f] }

// The histograms' range and precision: a microsecond to two minutes, three
// significant digits.
const (
	histMin    = int64(time.Microsecond)
	histMax    = int64(2 * time.Minute)
	histDigits = 3
)

// tally counts what became of logins. It belongs to one engine until that has
// ended; then tallies are merged.
type tally struct {
	done   [PlanCount]uint64 // went as planned
	faults [FaultCount]uint64
	times  [PlanCount][PartCount]*hdr.Histogram
}

func newTally() *tally {
	t := &tally{}
	for plan := range t.times {
		for part := range t.times[plan] {
			t.times[plan][part] = hdr.New(histMin, histMax, histDigits)
		}
	}
	return t
}

// record takes a time, cut off at the range's end.
func (t *tally) record(plan Plan, part Part, d time.Duration) {
	_ = t.times[plan][part].RecordValue(min(int64(d), histMax)) // fails only beyond the range
}

// logins is how many logins went as planned.
func (t *tally) logins() uint64 {
	var n uint64
	for _, done := range t.done {
		n += done
	}
	return n
}

// failed is how many did not.
func (t *tally) failed() uint64 {
	var n uint64
	for _, faults := range t.faults {
		n += faults
	}
	return n
}

func (t *tally) merge(u *tally) {
	for i := range t.faults {
		t.faults[i] += u.faults[i]
	}
	for plan := range t.times {
		t.done[plan] += u.done[plan]
		for part := range t.times[plan] {
			t.times[plan][part].Merge(u.times[plan][part])
		}
	}
}
