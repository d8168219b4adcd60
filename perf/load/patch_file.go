package load

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
)

// PatchFile is a file made to be sent as a patch: each byte of it follows from where it
// stands, so that whoever gets a piece can tell whether it is the right one. It never
// changes; its methods may be called anywhere.
type PatchFile struct {
	// Path is where it is, Size how many bytes it has.
	Path string
	Size uint64
	// MD5 and SHA256 are of the whole.
	MD5    [16]byte
	SHA256 [32]byte

	block []byte
}

// patternBlock is how many bytes the pattern's block has. The file is that block again
// and again, each time with its own number in front.
const patternBlock = 64 << 10

// patternNumber is how many bytes a block's number has.
const patternNumber = 8

// newPattern is the block that all files of the same bench are made of: drawn once, for
// nothing on the way may find it easier than a real patch.
func newPattern() []byte {
	block := make([]byte, patternBlock)
	_, _ = rand.NewChaCha8([32]byte{'p', 'a', 't', 'c', 'h'}).Read(block) // never fails
	return block
}

// MakePatchFile writes a file of size bytes and computes what it is known by. It is on
// the disk when it returns, so that nobody writes while others measure.
func MakePatchFile(ctx context.Context, path string, size uint64, p *Progress) (*PatchFile, error) {
	out, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	f := &PatchFile{Path: path, Size: size, block: newPattern()}
	p.Name("patch")
	p.Begin("file", int64(size))
	defer p.End()
	err = f.write(ctx, out, p)
	if err == nil {
		err = out.Sync()
	}
	if err := errors.Join(err, out.Close()); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	return f, nil
}

func (f *PatchFile) write(ctx context.Context, out io.Writer, p *Progress) error {
	sum5, sum256 := md5.New(), sha256.New()
	all := io.MultiWriter(out, sum5, sum256)
	block := bytes.Clone(f.block)
	for at := uint64(0); at < f.Size; at += patternBlock {
		if err := ctx.Err(); err != nil {
			return err
		}
		binary.LittleEndian.PutUint64(block, at/patternBlock)
		if _, err := all.Write(block[:min(patternBlock, f.Size-at)]); err != nil {
			return err
		}
		p.tell(int64(at), fmt.Sprintf("%d MiB", at>>20))
	}
	f.MD5, f.SHA256 = [16]byte(sum5.Sum(nil)), [32]byte(sum256.Sum(nil))
	return nil
}

// has tells whether b is what stands in the file at offset.
func (f *PatchFile) has(offset uint64, b []byte) bool {
	if offset > f.Size || uint64(len(b)) > f.Size-offset {
		return false
	}
	for len(b) > 0 {
		within := offset % patternBlock
		n := min(len(b), int(patternBlock-within))
		if !f.inBlock(offset/patternBlock, within, b[:n]) {
			return false
		}
		b, offset = b[n:], offset+uint64(n)
	}
	return true
}

// inBlock tells whether b is what stands in one block at within.
func (f *PatchFile) inBlock(block, within uint64, b []byte) bool {
	if within < patternNumber {
		var number [patternNumber]byte
		binary.LittleEndian.PutUint64(number[:], block)
		n := min(len(b), int(patternNumber-within))
		if !bytes.Equal(b[:n], number[within:within+uint64(n)]) {
			return false
		}
		b, within = b[n:], within+uint64(n)
	}
	return bytes.Equal(b, f.block[within:within+uint64(len(b))])
}
