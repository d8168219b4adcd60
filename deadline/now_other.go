//go:build !linux

package deadline

import "time"

// began is what Now counts from.
var began = time.Now()

// Now returns how long the process has been running, by Go's monotonic clock: only
// Linux, on which servers run, has a clock for every system call that counts sleep.
// From any goroutine.
func Now() time.Duration { return time.Since(began) + Every } // never 0
