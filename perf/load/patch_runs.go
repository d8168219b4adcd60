package load

import (
	"time"

	"gatepass/perf/load/internal/counts"
)

// SendRun is what one server sent in some turns.
type SendRun struct {
	// Elapsed is the sum of the measured windows.
	Elapsed time.Duration
	// Bytes is how many bytes of the file were received within it, Checked how many of them
	// were compared with the file, Files how many downloads were completed.
	Bytes, Checked, Files uint64
	// ServerCPU and ClientCPU are the CPU time used within it.
	ServerCPU, ClientCPU time.Duration
	// RSS is the server's resident memory at its end, in bytes.
	RSS int64

	errors counts.UpdateErrors
}

// add adds another turn.
func (r *SendRun) add(s *SendRun) {
	r.Elapsed += s.Elapsed
	r.Bytes, r.Checked, r.Files = r.Bytes+s.Bytes, r.Checked+s.Checked, r.Files+s.Files
	r.ServerCPU += s.ServerCPU
	r.ClientCPU += s.ClientCPU
	r.RSS = max(r.RSS, s.RSS)
	r.errors = r.errors.Merge(s.errors)
}

// perCore returns the bytes sent per second of the server's CPU time.
func (r *SendRun) perCore() float64 { return perSecond(r.Bytes, r.ServerCPU) }

// perSecond returns n per second of d; 0 if d is 0.
func perSecond(n uint64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}

// ThroughputRun is the result of a run of ThroughputOptions.
type ThroughputRun struct {
	// Floor is nil if there was none.
	Floor, Server *SendRun
	Interrupted   bool
}

// StalledRun is the result of a run of StalledOptions.
type StalledRun struct {
	// Wanted is the number of clients. Offered is how many waited with an offer when memory
	// was first read. Held is how many had accepted and received the first frame when it was
	// read again.
	Wanted, Offered, Held int
	// Before, After and End are the server's resident memory in bytes: with all offers, with
	// all transfers, and at the end of the hold.
	Before, After, End int64
	// KernelBefore and KernelAfter are the memory of all TCP sockets of this machine in
	// bytes, including the clients' own.
	KernelBefore, KernelAfter int64
	// Stayed is how long the transfers were held. Dropped is how many of them the server
	// closed. Idle is the server's CPU time meanwhile.
	Stayed      time.Duration
	Dropped     uint64
	Idle        time.Duration
	Interrupted bool

	errors counts.UpdateErrors
}

// BesideRun is the result of a run of BesideOptions.
type BesideRun struct {
	// Rounds are the rounds in order.
	Rounds []BesideRound
	// Off is the sum of all turns without updates, On of those with updates; nil if there
	// was none.
	Off, On *LoginRun
	// Sent is what the server sent to updating clients.
	Sent        SendRun
	Interrupted bool
}

// BesideRound is the times of whole logins in one turn of each kind.
type BesideRound struct{ Off, On Times }
