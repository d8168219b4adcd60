//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package client

import (
	"errors"
	"os"
)

// tryLock takes no lock on these systems: programs that share a folder must take turns.
func tryLock(*os.File) (bool, error) { return true, nil }

// lacksLocks tells whether an error means that the system has no locks.
func lacksLocks(err error) bool { return errors.Is(err, errors.ErrUnsupported) }
