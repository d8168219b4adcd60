package pebble

import (
	"errors"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	// roomLeast is how much free space there must be before the store is opened for
	// writing, in addition to the size of its logs, which become tables then.
	roomLeast = 2 << 20
	// roomProbe is how much is written and synced to test the disk.
	roomProbe = 256 << 10
	// roomFile is the file for that.
	roomFile = "gatepass.room"
)

// hasRoom reports whether a store can be opened for writing: the disk has space for the
// tables made of its logs, and takes a write.
func hasRoom(disk vfs.FS, dir string) bool {
	need := uint64(roomLeast)
	names, err := disk.List(dir)
	if err != nil {
		return false
	}
	for _, name := range names {
		if !strings.HasSuffix(name, ".log") {
			continue
		}
		if info, err := disk.Stat(disk.PathJoin(dir, name)); err == nil {
			need += uint64(info.Size())
		}
	}
	if usage, err := disk.GetDiskUsage(dir); err == nil && usage.AvailBytes < need {
		return false
	}
	return takesWrite(disk, disk.PathJoin(dir, roomFile)) == nil
}

// takesWrite writes a file, syncs and removes it.
func takesWrite(disk vfs.FS, path string) error {
	f, err := disk.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, roomProbe))
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close(), disk.Remove(path))
}
