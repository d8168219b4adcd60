//go:build !linux

package deadline

import "time"

// began is the time at which Now starts.
var began = time.Now()

// Now returns how long the process has been running, by Go's monotonic clock. Only Linux, on
// which servers run, has a clock in the standard system calls that includes sleep. Any
// goroutine.
func Now() time.Duration { return time.Since(began) + Every } // never 0
