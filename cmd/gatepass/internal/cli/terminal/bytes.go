package terminal

import (
	"fmt"
	"io"
	"os"
	"time"
)

// ByteOptions say what a ByteBar shows.
type ByteOptions struct {
	Label string
	// Paths are the files that will be read.
	Paths []string
	Quiet bool
}

// ByteBar shows how much of several files has been read. Only one goroutine may use it.
type ByteBar struct {
	*Progress
	// before is the size of the files that are done, in bytes.
	before int64
}

// NewByteBar returns a ByteBar, or an error if one of the files is missing.
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

// To shows how many bytes of the current file are done. A bar computes sizes and rate by
// itself; a plain line gets them as a note.
func (b *ByteBar) To(done int64) {
	note := ""
	if b.bar == nil {
		at := b.before + done
		rate := float64(at) / max(time.Since(b.began).Seconds(), 0.001)
		note = fmt.Sprintf("%s, %s/s", SizeText(uint64(at)), SizeText(uint64(rate)))
	}
	b.Progress.To(b.before+done, note)
}

// Next begins the next file, after one of that size.
func (b *ByteBar) Next(size uint64) { b.before += int64(size) }

// Clear removes the bar for a line on standard output, which may be the same terminal.
func (b *ByteBar) Clear() {
	if b.bar != nil {
		b.bar.Clear()
	}
}
