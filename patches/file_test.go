package patches

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gatepass/codec"
)

// openOne returns the only file of a new folder.
func openOne(t testing.TB, size int) (*File, Patch) {
	t.Helper()
	dir := t.TempDir()
	p := mustAdd(t, dir, grunt(1, 2), size)
	s, errs := Open(dir, Defaults{})
	if len(errs) > 0 || len(s.Files()) != 1 {
		t.Fatal(errs)
	}
	return s.Files()[0], p
}

// piecesOf returns pieces with gaps between them, like the heads of frames.
func piecesOf(sizes ...int) (buf []byte, pieces [][]byte) {
	const gap = 3
	total := 0
	for _, n := range sizes {
		total += n + gap
	}
	buf = bytes.Repeat([]byte{0xee}, total)
	at := 0
	for _, n := range sizes {
		pieces = append(pieces, buf[at:at+n])
		at += n + gap
	}
	return buf, pieces
}

func TestFile_ReadVector(t *testing.T) {
	f, p := openOne(t, 3*minChunk+5)
	want, err := os.ReadFile(p.Path)
	must(t, err)
	var source codec.TransferSource = f
	for _, offset := range []int{0, 1, minChunk - 1, 3*minChunk + 5 - 60} {
		buf, pieces := piecesOf(1, 0, 17, 40, 2)
		must(t, source.ReadVector(pieces, int64(offset)))
		if got := bytes.Join(pieces, nil); !bytes.Equal(got, want[offset:offset+60]) {
			t.Errorf("from %d: other bytes", offset)
		}
		if bytes.Count(buf, []byte{0xee, 0xee, 0xee}) < 3 {
			t.Errorf("from %d: bytes between the pieces were written", offset)
		}
	}
	_, pieces := piecesOf(make([]int, maxPieces)...)
	must(t, source.ReadVector(pieces, int64(len(want))))
	_, pieces = piecesOf(10)
	if err := source.ReadVector(pieces, int64(len(want)-9)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("beyond the end: %v", err)
	}
}

func TestFile_ShortReadsGoOn(t *testing.T) {
	_, pieces := piecesOf(3, 0, 4, 5)
	for n, want := range map[int][]int{1: {2, 0, 4, 5}, 3: {4, 5}, 5: {2, 5}, 11: {1}} {
		rest := behind(pieces, n)
		if len(rest) != len(want) {
			t.Fatalf("after %d: %d pieces", n, len(rest))
		}
		for i := range rest {
			if len(rest[i]) != want[i] {
				t.Errorf("after %d: piece %d has %d bytes, want %d", n, i, len(rest[i]), want[i])
			}
		}
	}
	if len(pieces) != 4 || len(pieces[0]) != 3 {
		t.Error("the caller's pieces were changed")
	}
}

func TestFile_Changed(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"touched":   func(path string) error { return os.Chtimes(path, time.Time{}, time.Unix(1, 0)) },
		"truncated": func(path string) error { return os.Truncate(path, 3) },
		"grown":     func(path string) error { return os.Truncate(path, 300) },
	} {
		f, p := openOne(t, 100)
		must(t, change(p.Path))
		_, pieces := piecesOf(10)
		if err := f.ReadVector(pieces, 50); !errors.Is(err, codec.ErrTransferChanged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFile_RemovedOrReplacedGoesOn(t *testing.T) {
	f, p := openOne(t, 100)
	want, err := os.ReadFile(p.Path)
	must(t, err)
	must(t, os.Remove(p.Path))
	mustWrite(t, p.Path, 50)
	_, pieces := piecesOf(100)
	if err := f.ReadVector(pieces, 0); err != nil || !bytes.Equal(pieces[0], want) {
		t.Error(err)
	}
}

func TestFile_IsReadByManyAtOnce(t *testing.T) {
	f, p := openOne(t, 100_000)
	want, err := os.ReadFile(p.Path)
	must(t, err)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for offset := i * 10; offset < 90_000; offset += 4_999 {
				_, pieces := piecesOf(4096, 4096)
				if err := f.ReadVector(pieces, int64(offset)); err != nil || !bytes.Equal(bytes.Join(pieces, nil), want[offset:offset+8192]) {
					t.Errorf("from %d: %v", offset, err)
				}
			}
		})
	}
	all.Wait()
}

func TestOpen_LeavesOutWhatIsNotAsItWas(t *testing.T) {
	dir := t.TempDir()
	good := mustAdd(t, dir, grunt(1, 2), 100)
	gone, short, touched := mustAdd(t, dir, grunt(2, 3), 100), mustAdd(t, dir, grunt(3, 4), 100), mustAdd(t, dir, grunt(4, 5), 100)
	folder := mustAdd(t, dir, grunt(5, 6), 100)
	must(t, os.Remove(gone.Path))
	must(t, os.Truncate(short.Path, 99))
	must(t, os.Chtimes(touched.Path, time.Time{}, time.Unix(1, 0)))
	must(t, os.Remove(folder.Path))
	must(t, os.Mkdir(folder.Path, 0o700))
	s, errs := Open(dir, Defaults{})
	if files := s.Files(); len(files) != 1 || files[0].ID != good.ID || len(errs) != 4 {
		t.Fatalf("%v, %v", files, errs)
	}
	mustMean(t, errs[0], "grunt-2-3", gone.Path, "is missing", "gatepass patch remove grunt-2-3")
	mustMean(t, errs[1], "grunt-3-4", short.Path, "has 99 bytes and had 100", "gatepass patch add --replace")
	mustMean(t, errs[2], "grunt-4-5", touched.Path, "a server reads it anew before it offers it")
	mustMean(t, errs[3], "grunt-5-6", "no regular file")
	offer := s.Files()[0].Offer
	if offer.From != 1 || offer.To != 2 || offer.SHA256 != good.SHA256 || offer.Steps != 1 || offer.Total != 100 || offer.Name != good.Name {
		t.Errorf("%+v", offer)
	}
	for i, e := range s.Entries() {
		if (e.File == nil) == (e.Err == nil) || e.Patch.From != uint16(i+1) {
			t.Errorf("%d: %+v", i, e)
		}
	}
}

func TestOpen_BrokenCatalogue(t *testing.T) {
	dir := t.TempDir()
	mustWrite(t, filepath.Join(dir, catalogueName), 10)
	s, errs := Open(dir, Defaults{Grunt: []uint16{5875}})
	if len(errs) != 1 || !s.Judge(client(codec.ProtocolGrunt, 5875, "", "")).Allowed {
		t.Errorf("%v", errs)
	}
}

func BenchmarkFile_ReadVector(b *testing.B) {
	f, _ := openOne(b, 4<<20)
	sizes := make([]int, 32)
	for i := range sizes {
		sizes[i] = 4096
	}
	_, pieces := piecesOf(sizes...)
	b.SetBytes(32 * 4096)
	b.ReportAllocs()
	offset := int64(0)
	for b.Loop() {
		if err := f.ReadVector(pieces, offset); err != nil {
			b.Fatal(err)
		}
		offset = (offset + 32*4096) % (4 << 20)
	}
}
