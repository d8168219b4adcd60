package client

import "golang.org/x/sys/windows"

// freeRoom is how many bytes the folder's volume has for this user.
func freeRoom(dir string) (uint64, bool) {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, false
	}
	var free uint64
	err = windows.GetDiskFreeSpaceEx(name, &free, nil, nil)
	return free, err == nil
}
