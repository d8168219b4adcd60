package load

import "time"

// bare is the big numbers of logins by password that were worked out with nothing
// around them: no socket, no queue, no store.
type bare struct {
	logins uint64
	cpu    time.Duration
}

// add joins another measurement.
func (b *bare) add(o bare) { b.logins, b.cpu = b.logins+o.logins, b.cpu+o.cpu }

// perLogin is in microseconds.
func (b *bare) perLogin() float64 { return perLogin(b.cpu, b.logins) }
