package client

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
)

// A disk that is full is named with the file, and the chunk that was not written is
// not taken for good.
func TestPartFile_FullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("CI must have a device that is always full: ", err)
		}
		t.Skip("only Linux has a device that is always full: ", err)
	}
	defer full.Close()
	data := make([]byte, 100)
	sum := sha256.Sum256(data)
	p := &partFile{
		offer: &UpdateOffer{Size: 100, SHA256: sum, ChunkSize: 100, hashes: sum[:]},
		dir:   "downloads", name: "patch", file: full, out: bufio.NewWriter(full), whole: sha256.New(), chunk: sha256.New(),
	}
	err = p.write(data)
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "patch.part: no space left on device") || p.good != 0 {
		t.Errorf("got %v, %d are good", err, p.good)
	}
}

// What is there already needs no more room, and where room is not known nobody is kept.
func TestPartFile_Fits_CountsWhatIsHere(t *testing.T) {
	for _, c := range []struct {
		good, room uint64
		known      bool
		want       error
	}{
		{0, 99, true, ErrNoRoom}, {0, 100, true, nil}, {60, 39, true, ErrNoRoom}, {60, 40, true, nil}, {0, 0, false, nil},
	} {
		p := &partFile{
			offer: &UpdateOffer{Size: 100}, dir: "downloads", name: "patch", good: c.good,
			room: func(string) (uint64, bool) { return c.room, c.known },
		}
		if err := p.fits(); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
