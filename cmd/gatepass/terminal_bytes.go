package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// byteProgress says what a progress over files shows.
type byteProgress struct {
	label string
	// paths are the files that are read; one that is not there counts nothing.
	paths []string
	quiet bool
}

// bytesBar shows how far the reading of files has come. Used by one goroutine.
type bytesBar struct {
	*progress
	// before is what the files that are done had, in bytes.
	before int64
}

// newByteProgress also looks whether the files are there, before anything is drawn.
func newByteProgress(out io.Writer, o byteProgress) (*bytesBar, error) {
	total := int64(0)
	for _, path := range o.paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		total += info.Size()
	}
	return &bytesBar{progress: newProgress(out, progressOptions{label: o.label, total: total, bytes: true, quiet: o.quiet})}, nil
}

// to shows how many bytes of the file are done. The bar tells sizes and rate itself; a
// plain line is told them.
func (b *bytesBar) to(done int64) {
	note := ""
	if b.bar == nil {
		at := b.before + done
		rate := float64(at) / max(time.Since(b.began).Seconds(), 0.001)
		note = fmt.Sprintf("%s, %s/s", sizeText(uint64(at)), sizeText(uint64(rate)))
	}
	b.progress.to(b.before+done, note)
}

// next goes on to another file.
func (b *bytesBar) next(size uint64) { b.before += int64(size) }

// clear makes room for a line on standard output, which may be the same terminal.
func (b *bytesBar) clear() {
	if b.bar != nil {
		b.bar.Clear()
	}
}
