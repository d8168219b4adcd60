package patches

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"golang.org/x/sys/unix"

	"gatepass/codec"
)

// File is a patch that can be sent: a codec.TransferSource. Its methods may be called
// anywhere. A removed file stays readable to every holder of the File. The garbage collector
// closes its descriptor when there is no holder any more.
type File struct {
	// ID names the patch. From and To are the builds that it updates from and to.
	ID       string
	From, To uint16
	// Size is in bytes. MD5 is the sum of the whole file.
	Size uint64
	MD5  [16]byte
	// Offer is the message for native clients, with Steps and Total of this file alone.
	Offer codec.UpdateOffer

	patch Patch
	file  *os.File
	// stamp is the state of the file when it was opened. It stays the same as long as nobody
	// writes to the file.
	stamp stamp
}

// String returns the patch and the name of its file, safe for a terminal.
func (f *File) String() string { return f.ID + " (" + Printable(filepath.Base(f.file.Name())) + ")" }

// LogValue makes a log show the file as String does.
func (f *File) LogValue() slog.Value { return slog.StringValue(f.String()) }

// ReadVector implements codec.TransferSource. It usually needs one read system call, and then
// one check that the file has not changed. The check comes second, because data that is
// written after the check cannot have been read. At most 1024 pieces.
func (f *File) ReadVector(pieces [][]byte, offset int64) error {
	if len(pieces) > maxPieces {
		panic("patches: more pieces than the kernel reads at once")
	}
	err := f.read(pieces, offset)
	now, statErr := stampOf(f.file)
	switch {
	case statErr != nil:
		return statErr
	case !now.sameContent(f.stamp):
		return codec.ErrTransferChanged
	}
	return err
}

func (f *File) read(pieces [][]byte, offset int64) error {
	defer runtime.KeepAlive(f)
	fd := int(f.file.Fd())
	left := 0
	for _, piece := range pieces {
		left += len(piece)
	}
	for left > 0 {
		n, err := unix.Preadv(fd, pieces, offset)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return &os.PathError{Op: "read", Path: f.file.Name(), Err: err}
		case n == 0:
			return &os.PathError{Op: "read", Path: f.file.Name(), Err: io.ErrUnexpectedEOF}
		}
		left, offset = left-n, offset+int64(n)
		if left > 0 {
			pieces = behind(pieces, n)
		}
	}
	return nil
}

// behind returns the remaining pieces after n bytes. It does not change the pieces.
func behind(pieces [][]byte, n int) [][]byte {
	for n >= len(pieces[0]) {
		n, pieces = n-len(pieces[0]), pieces[1:]
	}
	pieces = slices.Clone(pieces)
	pieces[0] = pieces[0][n:]
	return pieces
}

// openFile opens a patch's file. With errUnchecked it also returns a File, which must not be
// offered yet.
func openFile(dir string, p *Patch) (*File, error) {
	path := p.File(dir)
	opened, s, err := openRegular(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, missing(p, path)
	case err != nil:
		return nil, fmt.Errorf("patch %s: %w", p.ID, err)
	case s.size != p.Size:
		opened.Close()
		return nil, sizeDiffers(p, path, s.size)
	case p.Wrong != "":
		return openWrong(newFile(p, opened, s))
	}
	f := newFile(p, opened, s)
	if !s.modified().Equal(p.Modified) {
		return f, unchecked(f)
	}
	return f, nil
}

// openWrong opens a file again that was found wrong, if it has changed since.
func openWrong(f *File) (*File, error) {
	changed, err := changedAt(f.file.Name())
	if err != nil || changed.Equal(f.patch.WrongChanged) {
		f.file.Close()
		return nil, foundWrong(&f.patch, f.file.Name())
	}
	return f, unchecked(f)
}

func newFile(p *Patch, opened *os.File, s stamp) *File {
	return &File{
		ID: p.ID, From: p.From, To: p.To, Size: p.Size, MD5: p.MD5,
		Offer: codec.UpdateOffer{
			From: p.From, To: p.To, SHA256: p.SHA256, ChunkSize: p.ChunkSize, Hashes: p.Hashes,
			Name: p.Name, Steps: 1, Total: p.Size,
		},
		patch: *p, file: opened, stamp: s,
	}
}

// check reads the whole file and returns an error unless it is the one that was added. It
// computes only the hashes that this needs, on one core, because the server also serves
// clients.
func (f *File) check(ctx context.Context) error {
	defer runtime.KeepAlive(f)
	h := &hashing{sha256.New()}
	r := reading{from: f.file, to: io.Discard, size: f.Size}
	if err := r.run(ctx, h); err != nil {
		return fmt.Errorf("patch %s: %w", f.ID, err)
	}
	if now, err := stampOf(f.file); err != nil || !now.sameContent(f.stamp) {
		return errors.Join(fmt.Errorf("patch %s: %s was changed while it was read", f.ID, Printable(f.file.Name())), err)
	}
	if [32]byte(h.Sum(nil)) != f.patch.SHA256 {
		return contentDiffers(&f.patch, f.file.Name(), errors.New("its SHA-256 differs"))
	}
	return nil
}
