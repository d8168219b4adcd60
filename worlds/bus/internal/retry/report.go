package retry

import "time"

// ReportEvery is the least time between two log lines that report the same reason: a
// registration that is refused is repeated every few seconds until somebody changes
// something.
const ReportEvery = time.Minute

// Report remembers the reason that the log reported last. Its zero value has reported
// nothing. It belongs to one goroutine.
type Report struct {
	reason string
	at     time.Duration
}

// Due reports whether the log should report a reason now, and if so remembers it as
// reported.
func (r *Report) Due(reason string, now time.Duration) bool {
	if reason == r.reason && now-r.at < ReportEvery {
		return false
	}
	r.reason, r.at = reason, now
	return true
}
