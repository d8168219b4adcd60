package disk

import "golang.org/x/sys/windows"

// Free returns how many bytes of the folder's volume are free for this user, and false if
// that is not known.
func Free(dir string) (uint64, bool) {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, false
	}
	var free uint64
	err = windows.GetDiskFreeSpaceEx(name, &free, nil, nil)
	return free, err == nil
}
