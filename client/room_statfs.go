//go:build darwin || linux

package client

import "golang.org/x/sys/unix"

// freeRoom is how many bytes the folder's file system has for this user.
func freeRoom(dir string) (uint64, bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil || s.Blocks == 0 {
		return 0, false // one without blocks does not count them
	}
	return s.Bavail * uint64(s.Bsize), true
}
