package pebble

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"gatepass/storage"
	"gatepass/storage/storagetest"
)

func TestParseDecoys_RefusesWhatIsNone(t *testing.T) {
	good := appendDecoys(nil, &storage.Decoys{Shared: true, Secret: [32]byte{7}, Salts: storage.SaltShape{Marked: 256, ZeroTop: true}})
	if len(good) != decoysRecord {
		t.Fatalf("%d bytes", len(good))
	}
	for n := range good {
		if err := parseDecoys(good[:n], new(storage.Decoys)); !errors.Is(err, storage.ErrCorrupt) {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
	for at, b := range map[int]byte{1: 4, 2: 2} { // an unknown flag, Marked above 256
		bad := append([]byte(nil), good...)
		bad[at] = b
		if at == 2 {
			bad[3] = 1
		}
		if err := parseDecoys(bad, new(storage.Decoys)); !errors.Is(err, storage.ErrCorrupt) {
			t.Errorf("byte %d is %d: %v", at, b, err)
		}
	}
	if err := parseDecoys(append(good, 0), new(storage.Decoys)); !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("a byte more: %v", err)
	}
}

// TestSampleSalts_DamagedBlock: a server starts though accounts cannot be read.
func TestSampleSalts_DamagedBlock(t *testing.T) {
	fs := vfs.NewMem()
	c := mustOpen(t, fs)
	random := rand.New(rand.NewPCG(3, 4))
	var ops []storage.Op
	for i := range 3000 {
		a := storagetest.Account(i)
		for j := range a.Grunt.Salt {
			a.Grunt.Salt[j] = byte(random.Uint32()) // it does not compress, so a table holds it as it is
		}
		a.Grunt.Salt[0] |= 1
		a.Grunt.Salt[31] |= 0x80
		ops = append(ops, storagetest.Create(a))
	}
	storagetest.MustDo(t, c, ops...)
	if err := c.Store().(*Store).db.Flush(); err != nil {
		t.Fatal(err)
	}
	storagetest.MustClose(t, c)
	flipInTable(t, fs, string(ops[200].Account.Grunt.Salt[8:24]))
	c = mustOpen(t, fs)
	if r := storagetest.Do(t, c, storage.Op{Kind: storage.OpGet, Name: ops[200].Account.Name}); r.Err == nil {
		t.Fatal("the block is not damaged")
	}
	r := storagetest.Do(t, c, storage.Op{Kind: storage.OpSampleSalts})
	if r.Err != nil || r.Decoys.Salts.Marked != storage.AllMarked {
		t.Errorf("%+v, %v", r.Decoys, r.Err)
	}
}

// A damaged block does not keep a server from knowing what the other salts look like.
func TestSampleSalts_BehindDamagedBlocks(t *testing.T) {
	for _, accounts := range []int{1000, 3000} {
		fs := vfs.NewMem()
		store := mustOpen(t, fs)
		random := rand.New(rand.NewPCG(1, 2))
		var ops []storage.Op
		var early, middle string // verifiers; no block of the first accounts, which is read at opening
		for i := range accounts {
			a := storagetest.Account(10_000 + i)
			for j := range a.Grunt.Salt {
				a.Grunt.Salt[j], a.Grunt.Verifier[j] = byte(random.Uint32()), byte(random.Uint32())
			}
			a.Grunt.Salt[31] &= 0x7f // none is marked
			ops = append(ops, storagetest.Create(a))
			switch i {
			case accounts / 4:
				early = string(a.Grunt.Verifier[:])
			case accounts / 2:
				middle = string(a.Grunt.Verifier[:])
			}
		}
		storagetest.MustDo(t, store, ops...)
		if err := store.Store().(*Store).db.Flush(); err != nil {
			t.Fatal(err)
		}
		storagetest.MustClose(t, store)
		flipInTable(t, fs, middle)
		flipInTable(t, fs, early)
		store = mustOpen(t, fs)
		if got := storagetest.Do(t, store, storage.Op{Kind: storage.OpGet, Name: storagetest.Account(10_000 + accounts/2).Name}); !errors.Is(got.Err, storage.ErrUnreadable) {
			t.Fatalf("%d accounts: the block is not damaged: %v", accounts, got.Err)
		}
		got := storagetest.MustDo(t, store, storage.Op{Kind: storage.OpSampleSalts})[0].Decoys.Salts
		if got.Marked > 25 {
			t.Errorf("%d accounts: %+v", accounts, got)
		}
		storagetest.MustClose(t, store)
	}
}
