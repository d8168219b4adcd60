package bus

import "time"

// refusalEvery is the time between two lines of the log about a world that is refused
// for the same reason: it tries every few seconds until somebody changes something.
const refusalEvery = time.Minute

// refusal is what the log said last of a world that was refused; the zero value is
// nothing. Owned by one goroutine.
type refusal struct {
	reason string
	at     time.Duration
}

// tells reports whether the log should say this now, and takes it as said then.
func (r *refusal) tells(reason string, now time.Duration) bool {
	if reason == r.reason && now-r.at < refusalEvery {
		return false
	}
	r.reason, r.at = reason, now
	return true
}
