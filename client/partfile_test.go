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
		t.Skip(err)
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
