package client

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"gatepass/atomicfile"
	"gatepass/client/internal/disk"
)

const (
	// checkBuffer is how many bytes of a file are read at once for a check.
	checkBuffer = 128 << 10
	// writeBuffer is how many bytes are written at once, because frames are small.
	writeBuffer = 64 << 10
)

// partFile is the incomplete file of an update: NAME.part in the folder of the complete
// file. It is locked against other programs. No name can lead out of the folder, not even
// through a symbolic link. Only one goroutine may use it.
//
//	0 ───────────── good ────── at ───────────── offer.Size
//	   verified         part of     not yet
//	   chunks           the next    received
type partFile struct {
	offer     *UpdateOffer
	dir, name string
	root      *os.Root
	file      *os.File
	locked    bool
	checked   bool          // check is complete: bytes behind good are not valid
	out       *bufio.Writer // to file
	// room returns how many bytes are free for a folder; false if that is not known.
	room func(dir string) (bytes uint64, known bool)
	// good is the end of the verified chunks, at the end of the received data. Invariant:
	// good ≤ at. The file has at least good bytes, and at bytes after a flush.
	at, good     uint64
	whole, chunk hash.Hash // of the file and of the current chunk, up to at
}

// newPart opens the folder. It does not open the file yet.
func newPart(dir, name string, offer *UpdateOffer) (*partFile, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fileError(dir, err)
	}
	return &partFile{offer: offer, dir: dir, name: name, root: root, room: disk.Free, whole: sha256.New(), chunk: sha256.New()}, nil
}

// path returns the path of the complete file.
func (p *partFile) path() string { return filepath.Join(p.dir, p.name) }

// open opens or creates the file. None of its bytes are valid before check.
func (p *partFile) open() (err error) {
	defer func() { err = fileError(p.path()+partSuffix, err) }()
	part := p.name + partSuffix
	if info, err := p.root.Lstat(part); err == nil && !info.Mode().IsRegular() {
		return ErrInTheWay // opening a pipe would block
	}
	if p.file, err = p.root.OpenFile(part, os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return err
	}
	if p.locked, err = disk.TryLock(p.file); err != nil {
		return err
	}
	if !p.locked || !p.isNamed() {
		return ErrUpdateHeld
	}
	return nil
}

// isNamed reports whether the open file still has its name. The program that held the lock
// before may have renamed it.
func (p *partFile) isNamed() bool {
	ours, err := p.file.Stat()
	named, missing := p.root.Lstat(p.name + partSuffix)
	return err == nil && missing == nil && os.SameFile(ours, named)
}

// close closes the file and keeps its verified chunks. Without any it removes the file.
func (p *partFile) close() {
	if p.file != nil {
		if p.checked {
			_ = p.file.Truncate(int64(p.good)) // if this fails, the next check finds the invalid bytes
		}
		_ = p.file.Close()
		if p.checked && p.good == 0 {
			_ = p.root.Remove(p.name + partSuffix)
		}
		p.file = nil
	}
	_ = p.root.Close()
}

// watched is a reader that ends with a context and reports what it has read.
type watched struct {
	io.Reader
	ctx  context.Context
	tell func(n int)
}

func (w *watched) Read(b []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, context.Cause(w.ctx)
	}
	n, err := w.Reader.Read(b)
	w.tell(n)
	return n, err
}

// have reports whether the complete file exists already. Another file with its name is
// ErrInTheWay.
func (p *partFile) have(ctx context.Context, tell func(done uint64)) (bool, error) {
	info, err := p.root.Lstat(p.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fileError(p.path(), err)
	case !info.Mode().IsRegular(), uint64(info.Size()) != p.offer.Size:
		return false, fileError(p.path(), ErrInTheWay)
	}
	file, err := p.root.Open(p.name)
	if err != nil {
		return false, fileError(p.path(), err)
	}
	defer file.Close()
	done, sum := uint64(0), sha256.New()
	in := &watched{io.LimitReader(file, info.Size()), ctx, func(n int) { done += uint64(n); tell(done) }}
	if _, err := io.CopyBuffer(sum, in, make([]byte, checkBuffer)); err != nil {
		return false, fileError(p.path(), err)
	}
	if !bytes.Equal(sum.Sum(nil), p.offer.SHA256[:]) {
		return false, fileError(p.path(), ErrInTheWay)
	}
	return true, nil
}

// check verifies the chunks that an earlier download has left, and cuts off the rest.
func (p *partFile) check(ctx context.Context, tell func(done uint64)) error {
	done, buffer := uint64(0), make([]byte, checkBuffer)
	in := &watched{p.file, ctx, func(n int) { done += uint64(n); tell(min(done, p.offer.Size)) }}
	for right := true; right && p.good < p.offer.Size; {
		before, err := p.whole.(hash.Cloner).Clone()
		if err != nil {
			panic("client: SHA-256 that cannot be cloned: " + err.Error())
		}
		if right, err = p.checkChunk(in, buffer); err != nil {
			return fileError(p.path()+partSuffix, err)
		}
		if !right {
			p.whole = before
		}
	}
	p.at, p.checked = p.good, true
	p.chunk.Reset()
	if err := p.file.Truncate(int64(p.good)); err != nil {
		return fileError(p.path()+partSuffix, err)
	}
	p.out = bufio.NewWriterSize(p.file, writeBuffer)
	_, err := p.file.Seek(int64(p.good), io.SeekStart)
	return fileError(p.path()+partSuffix, err)
}

// checkChunk reads the next chunk and reports whether its hash is right.
func (p *partFile) checkChunk(in io.Reader, buffer []byte) (bool, error) {
	want, end := p.offer.chunk(p.good)
	p.chunk.Reset()
	n, err := io.CopyBuffer(io.MultiWriter(p.whole, p.chunk), io.LimitReader(in, int64(end-p.good)), buffer)
	if err != nil || uint64(n) != end-p.good || !bytes.Equal(p.chunk.Sum(nil), want) {
		return false, err
	}
	p.good = end
	return true, nil
}

// fits returns ErrNoRoom if there is not enough free space for the missing part. Other
// programs may use the space later; the check only avoids a long download that must fail. It
// must be called after check.
func (p *partFile) fits() error {
	missing := p.offer.Size - p.good
	if room, known := p.room(p.dir); known && room < missing {
		return fileError(p.path()+partSuffix, fmt.Errorf("%w: %d bytes are to come, %d are free", ErrNoRoom, missing, room))
	}
	return nil
}

// write appends data, which must not exceed the missing part, and verifies each complete
// chunk. A wrong chunk is ErrUpdateData.
func (p *partFile) write(data []byte) error {
	for len(data) > 0 {
		want, end := p.offer.chunk(p.at)
		piece := data[:min(uint64(len(data)), end-p.at)]
		if _, err := p.out.Write(piece); err != nil {
			return fileError(p.path()+partSuffix, err)
		}
		p.whole.Write(piece)
		p.chunk.Write(piece)
		p.at += uint64(len(piece))
		data = data[len(piece):]
		if p.at < end {
			return nil
		}
		if !bytes.Equal(p.chunk.Sum(nil), want) {
			return fmt.Errorf("%w: bytes %d to %d are wrong", ErrUpdateData, p.good, end)
		}
		if err := p.flush(); err != nil {
			return err
		}
		p.good = end
		p.chunk.Reset()
	}
	return nil
}

// flush writes buffered data to the file. It is called before data is acknowledged.
func (p *partFile) flush() error { return fileError(p.path()+partSuffix, p.out.Flush()) }

// finish verifies the complete file and durably gives it its name.
func (p *partFile) finish() (string, error) {
	if !bytes.Equal(p.whole.Sum(nil), p.offer.SHA256[:]) {
		p.good = 0 // the offer's hashes contradict each other, so no byte is known to be right
		return "", fmt.Errorf("%w: its chunks are right, the whole is not", ErrUpdateData)
	}
	if err := p.file.Sync(); err != nil {
		return "", fileError(p.path()+partSuffix, err)
	}
	if _, err := p.root.Lstat(p.name); err == nil {
		return "", fileError(p.path(), ErrInTheWay)
	}
	if err := p.publish(); err != nil {
		return "", fileError(p.path(), err)
	}
	return p.path(), nil
}

// publish renames the file while it is locked, so that no other program can start with it
// meanwhile. Windows cannot rename an open file, so there the lock ends first.
func (p *partFile) publish() error {
	if runtime.GOOS == "windows" {
		if err := p.letGo(); err != nil {
			return err
		}
	}
	if err := p.root.Rename(p.name+partSuffix, p.name); err != nil {
		return err
	}
	_ = p.letGo() // the file is synced
	return atomicfile.SyncFolder(p.dir)
}

// letGo closes the file without changing it, which also unlocks it.
func (p *partFile) letGo() error {
	if p.file == nil {
		return nil
	}
	file := p.file
	p.file = nil
	return file.Close()
}

// fileError wraps an error of a file as an UpdateFileError with its path; nil stays nil.
func fileError(path string, err error) error {
	var named *fs.PathError
	var link *os.LinkError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &named):
		err = named.Err
	case errors.As(err, &link):
		err = link.Err
	}
	return &UpdateFileError{Path: path, Err: err}
}
