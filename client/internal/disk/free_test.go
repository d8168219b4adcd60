package disk

import (
	"runtime"
	"testing"
)

func TestFree(t *testing.T) {
	switch runtime.GOOS {
	case "linux", "darwin", "windows":
	default:
		t.Skip("only asked on Linux, macOS and Windows")
	}
	if room, known := Free(t.TempDir()); !known || room == 0 {
		t.Errorf("%d bytes, %t", room, known)
	}
	if _, known := Free("no such folder"); known {
		t.Error("a folder that is not there has room")
	}
}
