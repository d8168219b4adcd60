//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package disk

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// TryLock takes an advisory lock on an open file, which ends when the file is closed;
// false means that another program has it. It returns true on file systems without locks.
// It locks the open file and not a path, as package flock would: the path may lead to
// another file by now.
func TryLock(file *os.File) (bool, error) {
	err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK), errors.Is(err, unix.EINTR):
		return false, nil
	case LacksLocks(err):
		return true, nil
	}
	return err == nil, err
}

// LacksLocks reports whether an error means that the file system has no locks.
func LacksLocks(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, unix.ENOLCK)
}
