package patch

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

	"gatepass/perf/load/progress"
)

// File is a file for use as a patch. Each byte follows from its offset, so that a
// client can check any piece of it. The file does not change; any goroutine may call its
// methods.
type File struct {
	// Path is the file's path, Size its length in bytes.
	Path string
	Size uint64
	// MD5 and SHA256 are the hashes of the whole file.
	MD5    [16]byte
	SHA256 [32]byte

	block []byte
}

// patternBlock is the length of the pattern's block. The file repeats the block; each copy
// begins with its number.
const patternBlock = 64 << 10

// patternNumber is the length of a block's number.
const patternNumber = 8

// newPattern returns the block. It is random, so that it does not compress better than a
// real patch, and always the same.
func newPattern() []byte {
	block := make([]byte, patternBlock)
	_, _ = rand.NewChaCha8([32]byte{'p', 'a', 't', 'c', 'h'}).Read(block) // never fails
	return block
}

// MakeFile writes a file of size bytes and computes its hashes. The file is on disk
// when MakePatchFile returns, so that no data is written back during a measurement.
func MakeFile(ctx context.Context, path string, size uint64, p *progress.Display) (*File, error) {
	out, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	f := &File{Path: path, Size: size, block: newPattern()}
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

// write writes the file and computes the hashes.
func (f *File) write(ctx context.Context, out io.Writer, p *progress.Display) error {
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
		p.Say(int64(at), fmt.Sprintf("%d MiB", at>>20))
	}
	f.MD5, f.SHA256 = [16]byte(sum5.Sum(nil)), [32]byte(sum256.Sum(nil))
	return nil
}

// has reports whether the file has the bytes b at offset.
func (f *File) has(offset uint64, b []byte) bool {
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

// inBlock reports whether a block has the bytes b at the offset within.
func (f *File) inBlock(block, within uint64, b []byte) bool {
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
