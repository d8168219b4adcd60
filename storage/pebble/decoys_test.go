package pebble

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"gatepass/storage"
	"gatepass/storage/storagetest"
)

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

// Accounts after a damaged block are sampled too.
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
