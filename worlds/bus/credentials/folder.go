package credentials

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"gatepass/atomicfile"
)

// ErrLocked: another process has locked the folder.
var ErrLocked = errors.New("another process is using it")

// LockFolder locks the folder for this process, until release or the end of the process.
// With wait it waits until the lock is free, else it fails with ErrLocked.
func LockFolder(dir string, wait bool) (release func(), err error) {
	lock, locked := flock.New(filepath.Join(dir, "LOCK"), flock.SetFlag(os.O_CREATE|os.O_RDWR)), true
	if wait {
		err = lock.Lock()
	} else {
		locked, err = lock.TryLock()
	}
	if err == nil && !locked {
		err = ErrLocked
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return func() { _ = lock.Close() }, nil
}

// WriteFile writes a file of mode 0600 that exists whole or not at all. It replaces an
// existing file.
func WriteFile(path string, content []byte) error {
	return atomicfile.Write(path, ".new-*", atomicfile.Content(content))
}

// ReadFile reads one of the authority's files.
func ReadFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%s is longer than %d bytes", path, maxFile)
	}
	return b, err
}
