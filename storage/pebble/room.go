package pebble

import (
	"errors"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	// roomLeast is how much room there must be before the store is opened for writing,
	// beside what its logs hold, which is written to tables then.
	roomLeast = 2 << 20
	// roomProbe is how much is written and synced to see whether the disk takes it.
	roomProbe = 256 << 10
	// roomFile is where that is written.
	roomFile = "gatepass.room"
)

// hasRoom tells whether a store can be opened for writing: there is room for what its
// logs hold, and the disk takes a write.
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
