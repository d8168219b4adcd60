package terminal

import (
	"fmt"
	"io"
	"os"
	"time"
)

// ByteOptions says what a progress over files shows.
type ByteOptions struct {
	Label string
	// Paths are the files that are read; one that is not there counts nothing.
	Paths []string
	Quiet bool
}

// ByteBar shows how far the reading of files has come. Used by one goroutine.
type ByteBar struct {
	*Progress
	// before is what the files that are done had, in bytes.
	before int64
}

// NewByteBar also looks whether the files are there, before anything is drawn.
func NewByteBar(out io.Writer, o ByteOptions) (*ByteBar, error) {
	total := int64(0)
	for _, path := range o.Paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		total += info.Size()
	}
	return &ByteBar{Progress: NewProgress(out, ProgressOptions{Label: o.Label, Total: total, Bytes: true, Quiet: o.Quiet})}, nil
}

// To shows how many bytes of the file are done. The bar tells sizes and rate itself; a
// plain line is told them.
func (b *ByteBar) To(done int64) {
	note := ""
	if b.bar == nil {
		at := b.before + done
		rate := float64(at) / max(time.Since(b.began).Seconds(), 0.001)
		note = fmt.Sprintf("%s, %s/s", SizeText(uint64(at)), SizeText(uint64(rate)))
	}
	b.Progress.To(b.before+done, note)
}

// Next goes on to another file.
func (b *ByteBar) Next(size uint64) { b.before += int64(size) }

// Clear makes room for a line on standard output, which may be the same terminal.
func (b *ByteBar) Clear() {
	if b.bar != nil {
		b.bar.Clear()
	}
}
