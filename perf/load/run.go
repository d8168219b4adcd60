package load

import (
	"errors"
	"os"
	"time"

	"gatepass/perf/load/internal/counts"
)

// ErrUnsupported says that the operating system has no epoll.
var ErrUnsupported = errors.New("load: the load client needs Linux")

// LoginRun is the result of a run of logins.
type LoginRun struct {
	// Elapsed is the length of the measured window.
	Elapsed time.Duration
	// Logins is how many went as planned within it.
	Logins uint64
	// ServerCPU and ClientCPU are the CPU time used within it. ServerCPU is 0 if the target
	// has no PIDs.
	ServerCPU, ClientCPU time.Duration
	// RSS is the server's resident memory at its end, in bytes.
	RSS int64
	// Late is how many logins of an open loop were due and did not begin, because the server
	// or this client was slower than the rate.
	Late int
	// Interrupted says that the run was ended early.
	Interrupted bool

	counts *counts.Logins
}

// add adds another run against the same server.
func (r *LoginRun) add(s *LoginRun) {
	r.Elapsed += s.Elapsed
	r.Logins += s.Logins
	r.ServerCPU += s.ServerCPU
	r.ClientCPU += s.ClientCPU
	r.RSS = max(r.RSS, s.RSS)
	r.Late += s.Late
	r.Interrupted = r.Interrupted || s.Interrupted
	r.counts.Merge(s.counts)
}

// perLogin returns the server's CPU time per login, in microseconds.
func (r *LoginRun) perLogin() float64 { return perLogin(r.ServerCPU, r.Logins) }

// HoldRun is the result of a run of held connections.
type HoldRun struct {
	// Wanted is how many connections were to be held, Held how many were when memory was
	// read.
	Wanted, Held int
	// Ramp is how long the logins took.
	Ramp time.Duration
	// Before, After and End are the server's resident memory in bytes: before the first
	// connection, with all connections, and at the end of the hold.
	Before, After, End int64
	// Stayed is how long the connections were held. Dropped is how many of them the server
	// closed. Lists is how many realm lists they requested and received.
	Stayed         time.Duration
	Dropped, Lists uint64
	// Idle is the server's CPU time during the hold.
	Idle time.Duration
	// Interrupted says that the run was ended early.
	Interrupted bool

	counts *counts.Logins
}

// PerConnection returns the server's memory for one held connection, in bytes.
func (r *HoldRun) PerConnection() float64 {
	if r.Held == 0 {
		return 0
	}
	return float64(r.After-r.Before) / float64(r.Held)
}

// self returns this process's id, for its own CPU time.
func self() []int { return []int{os.Getpid()} }
