package server

import (
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// canNap tells whether napUntilReadable works here.
const canNap = true

// napUntilReadable waits until fd or other is readable, for at most the time most, and keeps
// the processor meanwhile. It returns whether fd is readable. A descriptor below 0 is ignored.
func napUntilReadable(fd, other int, most time.Duration) bool {
	set := [2]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(other), Events: unix.POLLIN}}
	wait := unix.NsecToTimespec(int64(most))
	_, _, _ = syscall.RawSyscall6(unix.SYS_PPOLL,
		uintptr(unsafe.Pointer(&set)), 2, uintptr(unsafe.Pointer(&wait)), 0, 0, 0)
	return set[0].Revents != 0 // an interrupted call sets no events
}
