package disk

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// TryLock takes a lock on an open file, which ends when the file is closed; false means
// that another program has it.
func TryLock(file *os.File) (bool, error) {
	const how = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	err := windows.LockFileEx(windows.Handle(file.Fd()), how, 0, 1, 0, new(windows.Overlapped))
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	}
	return err == nil, err
}

// LacksLocks reports whether an error means that the file system has no locks.
func LacksLocks(err error) bool { return errors.Is(err, errors.ErrUnsupported) }
