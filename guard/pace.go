package guard

import "time"

// Pace lets one event at a time pass, such as a line of a log. The zero value lets the
// first one pass.
type Pace struct {
	last   time.Duration
	passed bool
}

// Due tells whether an event may pass at now: none has passed for every. It counts as
// passed then.
func (p *Pace) Due(now, every time.Duration) bool {
	if p.passed && now-p.last < every {
		return false
	}
	p.last, p.passed = now, true
	return true
}
