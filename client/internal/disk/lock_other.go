//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package disk

import (
	"errors"
	"os"
)

// TryLock takes no lock on these systems: programs that share a folder must take turns.
func TryLock(*os.File) (bool, error) { return true, nil }

// LacksLocks reports whether an error means that the system has no locks.
func LacksLocks(err error) bool { return errors.Is(err, errors.ErrUnsupported) }
