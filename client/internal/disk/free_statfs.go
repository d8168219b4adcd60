//go:build darwin || linux

package disk

import "golang.org/x/sys/unix"

// Free returns how many bytes of the folder's file system are free for this user, and
// false if that is not known.
func Free(dir string) (uint64, bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil || s.Blocks == 0 {
		return 0, false // a file system without blocks does not count them
	}
	return s.Bavail * uint64(s.Bsize), true
}
