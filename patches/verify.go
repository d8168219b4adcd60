package patches

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"
)

// Verify reads the patch's file again. dir is the catalogue's folder. If the file is the one
// that was added, Modified becomes the file's time. Otherwise the error says what differs, and
// Wrong says it too, unless the file is only missing or may not be read. The caller should
// record the changed fields. progress is as in Measure.
func (p *Patch) Verify(ctx context.Context, dir string, progress func(done int64)) error {
	changed, _ := changedAt(p.File(dir)) // before the read: a later change will show
	modified, err := p.verify(ctx, dir, progress)
	switch state := stateOf(err); {
	case err == nil:
		p.Modified, p.Wrong, p.WrongChanged = modified, "", time.Time{}
	case state == StateChanged || state == StateWrong:
		p.Wrong, p.WrongChanged = cause(err), changed
	case errors.Is(err, unix.EIO):
		p.Wrong, p.WrongChanged = "it cannot be read: "+unix.EIO.Error(), changed
	}
	return err
}

// cause returns the text of the innermost error.
func cause(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err.Error()
}

// verify returns the time of a file that is the one that was added.
func (p *Patch) verify(ctx context.Context, dir string, progress func(done int64)) (time.Time, error) {
	path := p.File(dir)
	if s, err := stampAt(path); err == nil && s.size != p.Size {
		return time.Time{}, sizeDiffers(p, path, s.size)
	}
	now, err := Measure(ctx, path, progress)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return time.Time{}, missing(p, path)
	case err != nil:
		return time.Time{}, fmt.Errorf("patch %s: %w", p.ID, err)
	case now.Size != p.Size:
		return time.Time{}, sizeDiffers(p, path, now.Size)
	}
	if err := p.compare(&now); err != nil {
		return time.Time{}, contentDiffers(p, path, err)
	}
	return now.Modified, nil
}

// compare returns an error that says what differs in a file of the same size that was read
// again.
func (p *Patch) compare(now *Patch) error {
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
