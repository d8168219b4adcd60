package deadline

import (
	"time"

	"golang.org/x/sys/unix"
)

// Now returns how long the machine has been running, sleep included. Any goroutine.
func Now() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic("deadline: no CLOCK_BOOTTIME: " + err.Error()) // Go needs a Linux with it
	}
	return time.Duration(ts.Nano())
}
