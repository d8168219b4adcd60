package pebble

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"gatepass/storage"
)

func TestDecoys_ComeBack(t *testing.T) {
	fs := vfs.NewMem()
	c := mustOpen(t, fs)
	if r := do(t, c, storage.Op{Kind: storage.OpDecoys}); !errors.Is(r.Err, storage.ErrNotFound) {
		t.Errorf("a new store: %+v", r)
	}
	for _, want := range []storage.Decoys{
		{Shared: true, Secret: [32]byte{1, 31: 2}, Salts: storage.SaltShape{Marked: 256}},
		{Salts: storage.SaltShape{Marked: 3, ZeroTop: true}},
	} {
		mustDo(t, c, storage.Op{Kind: storage.OpSetDecoys, Decoys: &want})
		for range 2 {
			if r := do(t, c, storage.Op{Kind: storage.OpDecoys}); r.Err != nil || *r.Decoys != want {
				t.Errorf("%v: %+v, want %+v", r.Err, r.Decoys, want)
			}
			mustClose(t, c)
			c = mustOpen(t, fs)
		}
	}
	for _, bad := range []*storage.Decoys{nil, {Salts: storage.SaltShape{Marked: 257}}} {
		if r := do(t, c, storage.Op{Kind: storage.OpSetDecoys, Decoys: bad}); r.Err != storage.ErrInvalid {
			t.Errorf("%v: %v", bad, r.Err)
		}
	}
	if text := fmt.Sprint(storage.Decoys{Secret: [32]byte{0xab}}); text != "decoys" {
		t.Errorf("printed: %s", text)
	}
}

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

// TestSampleSalts: what is measured of stores whose salts are made in known shares.
func TestSampleSalts(t *testing.T) {
	for _, c := range []struct {
		name             string
		accounts, marked int // of the accounts
		least, most      uint16
		zeroTop          bool
	}{
		{"no accounts", 0, 0, 256, 256, false},
		{"all marked", 3000, 3000, 256, 256, false},
		{"none marked", 3000, 0, 0, 25, true},
		{"half", 3000, 1500, 105, 151, true},
		{"nearly all", 3000, 2970, 240, 255, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			store := mustOpen(t, vfs.NewMem())
			var ops []storage.Op
			for i := range c.accounts {
				a := numbered(i)
				for j := range a.Grunt.Salt {
					a.Grunt.Salt[j] = byte(random.Uint32())
				}
				if i%97 == 0 { // often enough to be met in a sample
					a.Grunt.Salt[31] = 0
				}
				if (i*7919)%c.accounts < c.marked {
					a.Grunt.Salt[0] |= 1
					a.Grunt.Salt[31] |= 0x80
				}
				ops = append(ops, create(a))
			}
			if len(ops) > 0 {
				mustDo(t, store, ops...)
			}
			got := mustDo(t, store, storage.Op{Kind: storage.OpSampleSalts})[0].Decoys.Salts
			if got.Marked < c.least || got.Marked > c.most || got.ZeroTop != c.zeroTop {
				t.Errorf("%+v, want %d to %d marked and zero tops %v", got, c.least, c.most, c.zeroTop)
			}
			if again := mustDo(t, store, storage.Op{Kind: storage.OpSampleSalts})[0].Decoys.Salts; again != got {
				t.Errorf("a second look gives %+v after %+v", again, got)
			}
		})
	}
}

// TestSampleSalts_DamagedBlock: a server starts though accounts cannot be read.
func TestSampleSalts_DamagedBlock(t *testing.T) {
	fs := vfs.NewMem()
	c := mustOpen(t, fs)
	random := rand.New(rand.NewPCG(3, 4))
	var ops []storage.Op
	for i := range 3000 {
		a := numbered(i)
		for j := range a.Grunt.Salt {
			a.Grunt.Salt[j] = byte(random.Uint32()) // it does not compress, so a table holds it as it is
		}
		a.Grunt.Salt[0] |= 1
		a.Grunt.Salt[31] |= 0x80
		ops = append(ops, create(a))
	}
	mustDo(t, c, ops...)
	if err := c.Store().(*Store).db.Flush(); err != nil {
		t.Fatal(err)
	}
	mustClose(t, c)
	flipInTable(t, fs, string(ops[200].Account.Grunt.Salt[8:24]))
	c = mustOpen(t, fs)
	if r := do(t, c, storage.Op{Kind: storage.OpGet, Name: ops[200].Account.Name}); r.Err == nil {
		t.Fatal("the block is not damaged")
	}
	r := do(t, c, storage.Op{Kind: storage.OpSampleSalts})
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
			a := numbered(10_000 + i)
			for j := range a.Grunt.Salt {
				a.Grunt.Salt[j], a.Grunt.Verifier[j] = byte(random.Uint32()), byte(random.Uint32())
			}
			a.Grunt.Salt[31] &= 0x7f // none is marked
			ops = append(ops, create(a))
			switch i {
			case accounts / 4:
				early = string(a.Grunt.Verifier[:])
			case accounts / 2:
				middle = string(a.Grunt.Verifier[:])
			}
		}
		mustDo(t, store, ops...)
		if err := store.Store().(*Store).db.Flush(); err != nil {
			t.Fatal(err)
		}
		mustClose(t, store)
		flipInTable(t, fs, middle)
		flipInTable(t, fs, early)
		store = mustOpen(t, fs)
		if got := do(t, store, storage.Op{Kind: storage.OpGet, Name: numbered(10_000 + accounts/2).Name}); !errors.Is(got.Err, storage.ErrUnreadable) {
			t.Fatalf("%d accounts: the block is not damaged: %v", accounts, got.Err)
		}
		got := mustDo(t, store, storage.Op{Kind: storage.OpSampleSalts})[0].Decoys.Salts
		if got.Marked > 25 {
			t.Errorf("%d accounts: %+v", accounts, got)
		}
		mustClose(t, store)
	}
}
