package storagetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"gatepass/storage"
)

func testDecoysComeBack(t *testing.T, newEngine NewEngine) {
	engine := newEngine(t)
	c := MustOpen(t, engine)
	if r := Do(t, c, storage.Op{Kind: storage.OpDecoys}); !errors.Is(r.Err, storage.ErrNotFound) {
		t.Errorf("a new store: %+v", r)
	}
	for _, want := range []storage.Decoys{
		{Shared: true, Secret: [32]byte{1, 31: 2}, Salts: storage.SaltShape{Marked: 256}},
		{Salts: storage.SaltShape{Marked: 3, ZeroTop: true}},
	} {
		MustDo(t, c, storage.Op{Kind: storage.OpSetDecoys, Decoys: &want})
		for range 2 {
			if r := Do(t, c, storage.Op{Kind: storage.OpDecoys}); r.Err != nil || *r.Decoys != want {
				t.Errorf("%v: %+v, want %+v", r.Err, r.Decoys, want)
			}
			MustClose(t, c)
			c = MustOpen(t, engine)
		}
	}
	for _, bad := range []*storage.Decoys{nil, {Salts: storage.SaltShape{Marked: 257}}} {
		if r := Do(t, c, storage.Op{Kind: storage.OpSetDecoys, Decoys: bad}); r.Err != storage.ErrInvalid {
			t.Errorf("%v: %v", bad, r.Err)
		}
	}
	if text := fmt.Sprint(storage.Decoys{Secret: [32]byte{0xab}}); text != "decoys" {
		t.Errorf("printed: %s", text)
	}
}

// The shape of the salts of stores with known shares of marked salts.
func testSampleSalts(t *testing.T, newEngine NewEngine) {
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
			store := MustOpen(t, newEngine(t))
			var ops []storage.Op
			for i := range c.accounts {
				a := Account(i)
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
				ops = append(ops, Create(a))
			}
			if len(ops) > 0 {
				MustDo(t, store, ops...)
			}
			got := MustDo(t, store, storage.Op{Kind: storage.OpSampleSalts})[0].Decoys.Salts
			if got.Marked < c.least || got.Marked > c.most || got.ZeroTop != c.zeroTop {
				t.Errorf("%+v, want %d to %d marked and zero tops %v", got, c.least, c.most, c.zeroTop)
			}
			if again := MustDo(t, store, storage.Op{Kind: storage.OpSampleSalts})[0].Decoys.Salts; again != got {
				t.Errorf("a second look gives %+v after %+v", again, got)
			}
		})
	}
}
