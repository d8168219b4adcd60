package deadline

import (
	"time"

	"golang.org/x/sys/unix"
)

// Now returns how long the machine has been running, sleep included. From any
// goroutine.
func Now() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic("deadline: no CLOCK_BOOTTIME: " + err.Error()) // Linux has had it since before what Go runs on
	}
	return time.Duration(ts.Nano())
}
