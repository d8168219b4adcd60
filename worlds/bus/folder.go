package bus

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"gatepass/atomicfile"
)

// errLocked: another process has the folder.
var errLocked = errors.New("another process is using it")

// lockFolder takes the folder for this process, until release or its end. With wait it
// waits for the process that has it.
func lockFolder(dir string, wait bool) (release func(), err error) {
	lock, locked := flock.New(filepath.Join(dir, "LOCK"), flock.SetFlag(os.O_CREATE|os.O_RDWR)), true
	if wait {
		err = lock.Lock()
	} else {
		locked, err = lock.TryLock()
	}
	if err == nil && !locked {
		err = errLocked
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return func() { _ = lock.Close() }, nil
}

// writeWhole makes a file of mode 0600 that is there whole or not at all. One that is
// there is replaced.
func writeWhole(path string, content []byte) error {
	return atomicfile.Write(path, ".new-*", atomicfile.Content(content))
}

// readBounded reads a file of the authority.
func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxAuthorityFile+1))
	if err == nil && len(b) > maxAuthorityFile {
		err = fmt.Errorf("%s is longer than %d bytes", path, maxAuthorityFile)
	}
	return b, err
}
