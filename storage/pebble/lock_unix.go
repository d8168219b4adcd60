//go:build unix

package pebble

import (
	"io"
	"syscall"
)

// lockShared locks a file that is open for reading against writers; EAGAIN if one
// has it.
func lockShared(fd uintptr) error {
	err := syscall.FcntlFlock(fd, syscall.F_SETLK, &syscall.Flock_t{Type: syscall.F_RDLCK, Whence: io.SeekStart})
	if err == syscall.EACCES { // the other answer that POSIX allows
		return syscall.EAGAIN
	}
	return err
}
