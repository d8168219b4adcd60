package patch

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// mustPatch makes a file of so many bytes.
func mustPatch(t testing.TB, size uint64) *File {
	t.Helper()
	f, err := MakeFile(context.Background(), filepath.Join(t.TempDir(), "patch"), size, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestPatchFile_Has_KnowsEveryByte(t *testing.T) {
	f := mustPatch(t, 3*patternBlock+777)
	all, err := os.ReadFile(f.Path)
	if err != nil || uint64(len(all)) != f.Size {
		t.Fatalf("%d bytes, %v", len(all), err)
	}
	for _, at := range []int{0, 3, 8, patternBlock - 5, 2 * patternBlock, len(all) - 9} {
		piece := bytes.Clone(all[at:min(len(all), at+patternBlock+20)])
		if !f.has(uint64(at), piece) {
			t.Errorf("the piece at %d is not known", at)
		}
		for _, bad := range []int{0, len(piece) / 2, len(piece) - 1} {
			piece[bad] ^= 1
			if f.has(uint64(at), piece) {
				t.Errorf("the piece at %d is taken with byte %d changed", at, bad)
			}
			piece[bad] ^= 1
		}
	}
	if f.has(patternBlock, all[:patternBlock]) {
		t.Error("a block is taken for another one")
	}
	if f.has(f.Size-1, all[len(all)-1:][:1:1]) != true || f.has(f.Size, []byte{0}) || f.has(f.Size+1, nil) {
		t.Error("the end is not known")
	}
}

func TestMakePatchFile_ContextEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := MakeFile(ctx, filepath.Join(t.TempDir(), "patch"), 1<<20, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want that of the context", err)
	}
}
