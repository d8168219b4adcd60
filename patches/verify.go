package patches

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// Verify reads the patch's file again; dir is the catalogue's folder. If it is what was
// added Modified becomes the file's time, which is worth recording; else the error says
// what differs. progress is Measure's.
func (p *Patch) Verify(ctx context.Context, dir string, progress func(done int64)) error {
	path := p.File(dir)
	if s, err := stampAt(path); err == nil && s.size != p.Size {
		return differs(p, path, sizeDiffers(s.size, p.Size))
	}
	now, err := Measure(ctx, path, progress)
	if errors.Is(err, fs.ErrNotExist) {
		return missing(p, path)
	}
	if err != nil {
		return fmt.Errorf("patch %s: %w", p.ID, err)
	}
	if err := p.compare(&now); err != nil {
		return differs(p, path, err)
	}
	p.Modified = now.Modified
	return nil
}

// compare says what differs in a file that was read again.
func (p *Patch) compare(now *Patch) error {
	if now.Size != p.Size {
		return sizeDiffers(now.Size, p.Size)
	}
	if now.ChunkSize == p.ChunkSize {
		for at := 0; at < len(p.Hashes); at += len(p.SHA256) {
			if !bytes.Equal(p.Hashes[at:at+len(p.SHA256)], now.Hashes[at:at+len(p.SHA256)]) {
				chunk := at / len(p.SHA256)
				return fmt.Errorf("the first chunk that differs is %d of %d, from byte %d on",
					chunk+1, len(p.Hashes)/len(p.SHA256), uint64(chunk)*uint64(p.ChunkSize))
			}
		}
	}
	if now.SHA256 != p.SHA256 {
		return errors.New("its SHA-256 differs")
	}
	if now.MD5 != p.MD5 {
		return errors.New("its MD5 differs")
	}
	return nil
}

func sizeDiffers(is, was uint64) error { return fmt.Errorf("it has %d bytes and had %d", is, was) }

func missing(p *Patch, path string) error {
	return fmt.Errorf("patch %s: %s is missing: bring it back, or gatepass patch remove %s", p.ID, path, p.ID)
}
