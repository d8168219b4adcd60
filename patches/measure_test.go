package patches

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gatepass/codec"
)

func TestMeasure_Sums(t *testing.T) {
	dir := t.TempDir()
	for _, size := range []int{1, minChunk - 1, minChunk, minChunk + 1, readPiece, readPiece + 1, 3*readPiece + 7} {
		path := filepath.Join(dir, "patch.mpq")
		b := mustWrite(t, path, size)
		last := int64(0)
		p, err := Measure(t.Context(), path, func(done int64) { last = done })
		must(t, err)
		var hashes []byte
		for at := 0; at < size; at += minChunk {
			sum := sha256.Sum256(b[at:min(at+minChunk, size)])
			hashes = append(hashes, sum[:]...)
		}
		if p.MD5 != md5.Sum(b) || p.SHA256 != sha256.Sum256(b) || !bytes.Equal(p.Hashes, hashes) || p.ChunkSize != minChunk {
			t.Errorf("size %d: the sums are wrong", size)
		}
		if info, err := os.Stat(path); err != nil || !p.Modified.Equal(info.ModTime()) || p.Size != uint64(size) || last != int64(size) {
			t.Errorf("size %d: %d, %s, progress to %d", size, p.Size, p.Modified, last)
		}
		if p.Path != path || p.Name != "patch.mpq" || p.Taken {
			t.Errorf("%s is called %s", p.Path, p.Name)
		}
	}
}

func TestMeasure_KnownDigests(t *testing.T) {
	path := filepath.Join(t.TempDir(), "abc")
	must(t, os.WriteFile(path, []byte("abc"), 0o600))
	p, err := Measure(t.Context(), path, nil)
	must(t, err)
	if want := unhex(t, "900150983cd24fb0d6963f7d28e17f72"); !bytes.Equal(p.MD5[:], want) {
		t.Errorf("MD5 %x", p.MD5)
	}
	want := unhex(t, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
	if !bytes.Equal(p.SHA256[:], want) || !bytes.Equal(p.Hashes, want) {
		t.Errorf("SHA-256 %x, of the chunk %x", p.SHA256, p.Hashes)
	}
}

func TestMeasure_Refuses(t *testing.T) {
	dir := t.TempDir()
	empty, pipe := filepath.Join(dir, "empty"), filepath.Join(dir, "pipe")
	mustWrite(t, empty, 0)
	must(t, unix.Mkfifo(pipe, 0o600))
	for path, words := range map[string]string{empty: "has 0 bytes", pipe: "no regular file", dir: "no regular file", filepath.Join(dir, "none"): "none"} {
		_, err := Measure(t.Context(), path, nil)
		mustMean(t, err, words)
	}
}

func TestMeasure_FileThatChangesMeanwhile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "patch")
	for name, change := range map[string]func() error{
		"grows":      func() error { return os.Truncate(path, 3*readPiece) },
		"shrinks":    func() error { return os.Truncate(path, readPiece+1) },
		"is touched": func() error { return os.Chtimes(path, time.Time{}, time.Unix(1, 0)) },
	} {
		mustWrite(t, path, 2*readPiece)
		_, err := Measure(t.Context(), path, func(done int64) {
			if done == readPiece {
				must(t, change())
			}
		})
		if err == nil || !strings.Contains(err.Error(), "was changed while it was read") {
			t.Errorf("a file that %s: %v", name, err)
		}
	}
}

func TestMeasure_CanBeCancelled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "patch")
	mustWrite(t, path, 2*readPiece)
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Measure(ctx, path, func(int64) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestChunkFor_FitsEveryFile(t *testing.T) {
	for _, size := range []uint64{1, minChunk, 256 * minChunk, 256*minChunk + 1, 1 << 33, maxSize} {
		p := Patch{Scope: Scope{}, From: 1, To: 2, Path: "/a", Name: "a", Size: size, ChunkSize: chunkFor(size)}
		p.Hashes, p.ID = make([]byte, 32*chunksOf(size, p.ChunkSize)), p.MakeID()
		if err := p.validate(); err != nil || p.ChunkSize > minChunk && chunksOf(size, p.ChunkSize/2) <= codec.MaxTransferChunks {
			t.Errorf("size %d: chunks of %d: %v", size, p.ChunkSize, err)
		}
	}
}

func TestCleanName(t *testing.T) {
	long := strings.Repeat("ä", 40)
	for name, want := range map[string]string{
		"wow-patch.mpq": "wow-patch.mpq", "a b.mpq": "a b.mpq", "ünï.mpq": "ünï.mpq",
		`a\b:c`: "a_b_c", "a\x00\n": "a__", ".hidden": "_hidden", "..": "_", "dot.": "_dot", "": "_", "\xff.mpq": "_.mpq",
		long + ".mpq": strings.Repeat("ä", 30) + ".mpq",
		"a." + long:   "a." + strings.Repeat("ä", 31),
	} {
		got := cleanName(name)
		if got != want || validateName(got) != nil {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
}

func TestPatch_Verify(t *testing.T) {
	dir := t.TempDir()
	p := mustAdd(t, dir, grunt(1, 2), 3*minChunk)
	path := p.File(dir)
	later := time.Unix(1_800_000_000, 5).UTC()
	must(t, os.Chtimes(path, later, later))
	if err := p.Verify(t.Context(), dir, nil); err != nil || !p.Modified.Equal(later) {
		t.Errorf("%s: %v", p.Modified, err)
	}
	b, err := os.ReadFile(path)
	must(t, err)
	b[minChunk] ^= 1
	b[2*minChunk] ^= 1
	must(t, os.WriteFile(path, b, 0o600))
	mustMean(t, p.Verify(t.Context(), dir, nil), "grunt-1-2", path, "chunk that differs is 2 of 3, from byte 262144 on", "gatepass patch add --replace")
	must(t, os.Truncate(path, 5))
	mustMean(t, p.Verify(t.Context(), dir, nil), "has 5 bytes and had 786432")
	must(t, os.Remove(path))
	mustMean(t, p.Verify(t.Context(), dir, nil), "is missing", "gatepass patch remove grunt-1-2")
}

func TestPatch_VerifySeesWrongSums(t *testing.T) {
	dir := t.TempDir()
	for words, spoil := range map[string]func(*Patch){
		"SHA-256 differs": func(p *Patch) { p.SHA256[0] ^= 1 },
		"MD5 differs":     func(p *Patch) { p.MD5[0] ^= 1 },
		"chunk":           func(p *Patch) { p.Hashes[0] ^= 1 },
	} {
		path := filepath.Join(dir, "patch")
		mustWrite(t, path, 100)
		p, err := Measure(t.Context(), path, nil)
		must(t, err)
		spoil(&p)
		mustMean(t, p.Verify(t.Context(), dir, nil), words)
	}
}

func BenchmarkMeasure(b *testing.B) {
	path := filepath.Join(b.TempDir(), "patch")
	mustWrite(b, path, 64<<20)
	b.SetBytes(64 << 20)
	for b.Loop() {
		if _, err := Measure(b.Context(), path, nil); err != nil {
			b.Fatal(err)
		}
	}
}
