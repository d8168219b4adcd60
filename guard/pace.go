package guard

import "time"

// Pace allows one event in each interval, such as a line of a log. The zero value allows the
// first event.
type Pace struct {
	last   time.Duration
	passed bool
}

// Due returns whether an event may happen at now: none was allowed during the last every. If
// it returns true, the event counts as allowed at now.
func (p *Pace) Due(now, every time.Duration) bool {
	if p.passed && now-p.last < every {
		return false
	}
	p.last, p.passed = now, true
	return true
}
