package load

import (
	"errors"
	"os"
	"time"
)

// ErrUnsupported says that this system has no epoll.
var ErrUnsupported = errors.New("load: the load client needs Linux")

// LoginRun is what one run of logins measured.
type LoginRun struct {
	// Elapsed is the length of the measured window.
	Elapsed time.Duration
	// Logins went as planned within it.
	Logins uint64
	// ServerCPU and ClientCPU are the time used within it. ServerCPU is 0 when
	// no process was named.
	ServerCPU, ClientCPU time.Duration
	// RSS is the server's resident memory at its end, in bytes.
	RSS int64
	// Late is how many logins of an open loop were due and never began: the
	// server, or this client, was slower than the rate for good.
	Late int
	// Interrupted says that the run was ended early.
	Interrupted bool

	tally *tally
}

// add joins another run against the same server, as if it had gone on.
func (r *LoginRun) add(s *LoginRun) {
	r.Elapsed += s.Elapsed
	r.Logins += s.Logins
	r.ServerCPU += s.ServerCPU
	r.ClientCPU += s.ClientCPU
	r.RSS = max(r.RSS, s.RSS)
	r.Late += s.Late
	r.Interrupted = r.Interrupted || s.Interrupted
	r.tally.merge(s.tally)
}

// perLogin is the server's CPU time a login, in microseconds.
func (r *LoginRun) perLogin() float64 { return perLogin(r.ServerCPU, r.Logins) }

// HoldRun is what one run of held connections measured.
type HoldRun struct {
	// Wanted connections, of which Held stood when memory was read.
	Wanted, Held int
	// Ramp is how long it took to get there.
	Ramp time.Duration
	// Before, After and End are the server's resident memory in bytes: before
	// the first connection, with all of them, and with all of them at the end of
	// the hold.
	Before, After, End int64
	// Stayed is how long they were held; Dropped of them the server closed, and
	// Lists is how many realm lists they asked for and got.
	Stayed         time.Duration
	Dropped, Lists uint64
	// Idle is the CPU time the server used while it held them.
	Idle time.Duration
	// Interrupted says that the run was ended early.
	Interrupted bool

	tally *tally
}

// PerConnection is the server's memory for one held connection, in bytes.
func (r *HoldRun) PerConnection() float64 {
	if r.Held == 0 {
		return 0
	}
	return float64(r.After-r.Before) / float64(r.Held)
}

// self is this process, for its own CPU time.
func self() []int { return []int{os.Getpid()} }
