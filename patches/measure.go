package patches

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Measure reads the file once and returns a Patch with Path (absolute), Name, Size, Modified
// and all sums. The caller fills in the scope and the builds. progress, if not nil, gets the
// number of bytes that are done. Measure returns an error for an empty file, for anything but
// a regular file, and for a file that changes meanwhile.
func Measure(ctx context.Context, path string, progress func(done int64)) (Patch, error) {
	return measureInto(ctx, io.Discard, path, progress)
}

// measureInto also writes the file's content to to.
func measureInto(ctx context.Context, to io.Writer, path string, progress func(done int64)) (Patch, error) {
	f, info, err := openRegular(path)
	if err != nil {
		return Patch{}, err
	}
	defer f.Close()
	if info.size == 0 || info.size > maxSize {
		return Patch{}, fmt.Errorf("%s has %d bytes; a patch has 1 to %d", path, info.size, uint64(maxSize))
	}
	if path, err = filepath.Abs(path); err != nil {
		return Patch{}, err
	}
	p := Patch{Path: path, Name: cleanName(filepath.Base(path)), Size: info.size, Modified: info.modified(), ChunkSize: chunkFor(info.size)}
	r := reading{from: f, to: to, size: info.size, progress: progress}
	s := newSums(p.ChunkSize)
	defer s.close()
	if err := r.run(ctx, s); err != nil {
		return Patch{}, err
	}
	if now, err := stampOf(f); err != nil || !now.sameContent(info) {
		return Patch{}, errors.Join(fmt.Errorf("%s was changed while it was read", path), err)
	}
	s.fill(&p)
	return p, nil
}

// reading is one pass over a file.
type reading struct {
	from     *os.File
	to       io.Writer
	size     uint64
	progress func(done int64)
}

// hasher receives a file piece by piece.
type hasher interface {
	// write may use the piece only until it returns.
	write(piece []byte)
}

// run returns an error if the file no longer has its original size.
func (r *reading) run(ctx context.Context, h hasher) error {
	buf := make([]byte, min(readPiece, r.size))
	for done := uint64(0); done < r.size; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		piece := buf[:min(uint64(len(buf)), r.size-done)]
		if _, err := io.ReadFull(r.from, piece); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return fmt.Errorf("%s was changed while it was read", r.from.Name())
			}
			return err
		}
		h.write(piece)
		if _, err := r.to.Write(piece); err != nil {
			return err
		}
		done += uint64(len(piece))
		if r.progress != nil {
			r.progress(int64(done))
		}
	}
	return nil
}

// openRegular opens a file for reading if it is a regular file. It does not block on a pipe
// that has no writer.
func openRegular(path string) (*os.File, stamp, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, stamp{}, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", path)
	}
	s := stamp{}
	if err == nil {
		s, err = stampOf(f)
	}
	if err != nil {
		f.Close()
		return nil, stamp{}, err
	}
	return f, s, nil
}

// stamp is the state of a file's metadata.
type stamp struct {
	device, inode uint64
	size          uint64
	seconds, nano int64
}

func (s stamp) modified() time.Time { return time.Unix(s.seconds, s.nano).UTC() }

// sameContent returns whether nothing was written between the two stamps.
func (s stamp) sameContent(t stamp) bool {
	return s.size == t.size && s.seconds == t.seconds && s.nano == t.nano
}

func stampOf(f *os.File) (stamp, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return stamp{}, &os.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	return makeStamp(&st), nil
}

func stampAt(path string) (stamp, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return stamp{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return makeStamp(&st), nil
}

func makeStamp(st *unix.Stat_t) stamp {
	seconds, nano := st.Mtim.Unix()
	return stamp{device: uint64(st.Dev), inode: st.Ino, size: uint64(st.Size), seconds: seconds, nano: nano}
}

// changedAt returns when anything about the file last changed: its content, its name or its
// times. Unlike the modification time, nobody can set it.
func changedAt(path string) (time.Time, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return time.Time{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return time.Unix(st.Ctim.Unix()).UTC(), nil
}
