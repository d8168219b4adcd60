package load

import (
	"time"
)

// arithmetic is the cost of the server's arithmetic of logins by password, measured
// without sockets, queues and storage.
type arithmetic struct {
	logins uint64
	cpu    time.Duration
}

// add adds another measurement.
func (a *arithmetic) add(b arithmetic) { a.logins, a.cpu = a.logins+b.logins, a.cpu+b.cpu }

// perLogin returns the CPU time of one login in microseconds.
func (a *arithmetic) perLogin() float64 { return perLogin(a.cpu, a.logins) }
