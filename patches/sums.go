package patches

import (
	"crypto/md5"
	"crypto/sha256"
	"hash"
)

// sums computes all sums of a file at once. MD5 has its own goroutine: it is the slowest, and
// takes about as long as both SHA-256s together.
type sums struct {
	md5, whole, chunk hash.Hash
	size              uint32
	left              uint32 // bytes that the current chunk still needs
	hashes            []byte
	pieces            chan []byte // to the goroutine; closed by close
	done              chan struct{}
}

func newSums(chunkSize uint32) *sums {
	s := &sums{
		md5: md5.New(), whole: sha256.New(), chunk: sha256.New(), size: chunkSize, left: chunkSize,
		pieces: make(chan []byte), done: make(chan struct{}),
	}
	go func() {
		for piece := range s.pieces {
			s.md5.Write(piece)
			s.done <- struct{}{}
		}
	}()
	return s
}

// close ends the goroutine.
func (s *sums) close() { close(s.pieces) }

func (s *sums) write(piece []byte) {
	s.pieces <- piece
	s.whole.Write(piece)
	for rest := piece; len(rest) > 0; {
		n := min(len(rest), int(s.left))
		s.chunk.Write(rest[:n])
		rest, s.left = rest[n:], s.left-uint32(n)
		if s.left == 0 {
			s.endChunk()
		}
	}
	<-s.done
}

func (s *sums) endChunk() {
	s.hashes = s.chunk.Sum(s.hashes)
	s.chunk.Reset()
	s.left = s.size
}

// fill sets the sums of a patch.
func (s *sums) fill(p *Patch) {
	if s.left < s.size {
		s.endChunk()
	}
	p.MD5, p.SHA256, p.Hashes = [16]byte(s.md5.Sum(nil)), [32]byte(s.whole.Sum(nil)), s.hashes
}
