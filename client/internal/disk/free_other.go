//go:build !(darwin || linux || windows)

package disk

// Free returns false: the free space of this system is not known.
func Free(string) (uint64, bool) { return 0, false }
