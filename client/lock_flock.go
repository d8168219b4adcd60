//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package client

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// tryLock takes an advisory lock on an open file, which ends when the file is closed;
// false means that another program has it. It returns true on file systems without locks.
// It locks the open file and not a path, as package flock would: the path may lead to
// another file by now.
func tryLock(file *os.File) (bool, error) {
	err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK), errors.Is(err, unix.EINTR):
		return false, nil
	case lacksLocks(err):
		return true, nil
	}
	return err == nil, err
}

// lacksLocks tells whether an error means that the file system has no locks.
func lacksLocks(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, unix.ENOLCK)
}
