package load

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// spareFiles is how many descriptors a process needs in addition to its connections.
const spareFiles = 64

// roomFor returns an error if this process may not open n connections.
func roomFor(n int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("load: getrlimit: %w", err)
	}
	if uint64(n)+spareFiles > limit.Cur {
		return fmt.Errorf("load: %d connections need %d descriptors and this process may open %d: "+
			"raise it (ulimit -n), or run several of it with fewer each", n, n+spareFiles, limit.Cur)
	}
	return nil
}
