package counts

import (
	"syscall"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// Part is a part of a login whose time is measured.
type Part uint8

const (
	// PartQueued is from the time at which a login was due to the time at which it
	// began. It is above zero in an open loop whose client is behind schedule or has no
	// free connection.
	PartQueued Part = iota
	// PartConnect is until the TCP connection is established.
	PartConnect
	// PartChallenge is from sending the name to receiving the server's public key.
	PartChallenge
	// PartProof is from sending the password proof to receiving the result.
	PartProof
	// PartList is from requesting the realm list to receiving all of it.
	PartList
	// PartWhole is from the time at which the login was due to its last byte. It
	// includes the client's own arithmetic.
	PartWhole
	// PartCount is the number of parts.
	PartCount
)

var partNames = [PartCount]string{"queued", "connect", "challenge", "proof", "list", "whole"}

func (p Part) String() string { return partNames[p] }

// Plan is what a login attempts.
type Plan uint8

const (
	// PlanRight: log in with the right password and fetch the realm list.
	PlanRight Plan = iota
	// PlanWrong: an existing account with a wrong password. The server must refuse it.
	PlanWrong
	// PlanUnknown: an account that does not exist. The server must refuse it.
	PlanUnknown
	// PlanCount is the number of plans.
	PlanCount
)

var planNames = [PlanCount]string{"right password", "wrong password", "unknown account"}

func (p Plan) String() string { return planNames[p] }

// Fault is the reason for which a login did not go as planned.
type Fault uint8

const (
	// FaultConnect: the connection was refused or could not be made.
	FaultConnect Fault = iota
	// FaultPorts: no local port was free for a connection to the target.
	FaultPorts
	// FaultFiles: this process has reached its limit of descriptors.
	FaultFiles
	// FaultTimeout: the login did not end within its time limit.
	FaultTimeout
	// FaultClosed: the server closed the connection during the login.
	FaultClosed
	// FaultReset: the connection was reset during the login.
	FaultReset
	// FaultGarbage: the answer is not valid in this state of the protocol.
	FaultGarbage
	// FaultRefused: the server refused a right password, or was busy.
	FaultRefused
	// FaultProof: the server's proof is wrong.
	FaultProof
	// FaultAccepted: the server accepted a wrong password or an unknown account.
	FaultAccepted
	// FaultCount is the number of faults.
	FaultCount
)

var faultNames = [FaultCount]string{
	"connect", "no free port", "no free descriptor", "timeout", "closed by server", "connection reset",
	"garbage", "refused", "wrong server proof", "wrongly accepted",
}

func (f Fault) String() string { return faultNames[f] }

// The range and precision of the histograms: one microsecond to two minutes, with three
// significant digits.
const (
	histMin    = int64(time.Microsecond)
	histMax    = int64(2 * time.Minute)
	histDigits = 3
)

// Logins counts the results of logins. Only the goroutine of its engine may use it until
// the engine has ended. Then the counts of all engines are merged.
type Logins struct {
	// Done is the number of logins that went as planned, by plan.
	Done [PlanCount]uint64
	// Faults is the number of logins that did not, by reason.
	Faults [FaultCount]uint64
	// Times is a distribution for each plan and part.
	Times [PlanCount][PartCount]*hdr.Histogram
}

func NewLogins() *Logins {
	t := &Logins{}
	for plan := range t.Times {
		for part := range t.Times[plan] {
			t.Times[plan][part] = hdr.New(histMin, histMax, histDigits)
		}
	}
	return t
}

// Record adds a time. Times above the range count as its end.
func (t *Logins) Record(plan Plan, part Part, d time.Duration) {
	_ = t.Times[plan][part].RecordValue(min(int64(d), histMax)) // fails only beyond the range
}

// Completed returns the number of logins that went as planned.
func (t *Logins) Completed() uint64 {
	var n uint64
	for _, done := range t.Done {
		n += done
	}
	return n
}

// Failed returns the number of logins that did not go as planned.
func (t *Logins) Failed() uint64 {
	var n uint64
	for _, faults := range t.Faults {
		n += faults
	}
	return n
}

// Merge adds the counts of u.
func (t *Logins) Merge(u *Logins) {
	for i := range t.Faults {
		t.Faults[i] += u.Faults[i]
	}
	for plan := range t.Times {
		t.Done[plan] += u.Done[plan]
		for part := range t.Times[plan] {
			t.Times[plan][part].Merge(u.Times[plan][part])
		}
	}
}

// ConnectFault returns the reason that an error of socket, bind or connect stands for.
func ConnectFault(errno syscall.Errno) Fault {
	switch errno {
	case syscall.EADDRNOTAVAIL, syscall.EADDRINUSE:
		return FaultPorts
	case syscall.EMFILE, syscall.ENFILE:
		return FaultFiles
	}
	return FaultConnect
}

// FaultCounts returns the number of failed logins by the reason's name, for reasons that
// occurred.
func (t *Logins) FaultCounts() map[string]uint64 {
	counts := map[string]uint64{}
	for f, n := range t.Faults {
		if n > 0 {
			counts[Fault(f).String()] = n
		}
	}
	return counts
}
