package server

import (
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// canNap tells whether napUntilReadable works here.
const canNap = true

// napUntilReadable waits until fd is readable, for so long at most, without
// letting go of the processor. It tells whether fd is.
func napUntilReadable(fd int, most time.Duration) bool {
	set := unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
	wait := unix.NsecToTimespec(int64(most))
	n, _, _ := syscall.RawSyscall6(unix.SYS_PPOLL,
		uintptr(unsafe.Pointer(&set)), 1, uintptr(unsafe.Pointer(&wait)), 0, 0, 0)
	return int(n) == 1 // an interrupted call counts as nothing
}
