package pebble

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"gatepass/storage"
	"gatepass/storage/storagetest"
)

// A player writes under its own name, one write after the other. So after a crash the
// account must be in one of two states: that of the last acknowledged write, or that of
// the write in progress.
type player struct {
	name storage.Name
	mu   sync.Mutex
	// versions[i] is the state after i acknowledged writes: 0 for no account,
	// otherwise the number in its salt, above crashCount how many characters it has
	// on the world crashWorld, and above crashProof the number in the verifier of its
	// one device. The last one may still be under way.
	versions []int
	acked    int
}

const (
	crashWorld = 9
	crashCount = 1 << 16
	crashProof = 1 << 24
)

// history is the states in which a player may be after a crash at one moment.
type history struct {
	name  storage.Name
	acked int
	may   []int
}

// since returns the states that are possible after a crash that keeps at least the writes
// acknowledged up to a given one.
func (p *player) since(acked int) history {
	p.mu.Lock()
	defer p.mu.Unlock()
	return history{name: p.name, acked: p.acked, may: slices.Clone(p.versions[acked:])}
}

func (p *player) at() history { return p.since(p.ackedNow()) }

func (p *player) ackedNow() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.acked
}

// next makes the player's i-th write.
func (p *player) next(i int) storage.Op {
	a := storagetest.Account(0)
	a.Name, a.Login.Failed = p.name, 1
	order.PutUint32(a.Grunt.Salt[:], uint32(i))
	// A record long enough that a few make a table.
	a.Others = map[string][]byte{"pad": make([]byte, 1000)}
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.versions[p.acked]
	salt, count, token := was%crashCount, was%crashProof/crashCount*crashCount, was/crashProof
	op, becomes := storage.Op{Kind: storage.OpSetVerifier, Name: p.name, Account: a}, count+i
	switch {
	case was == 0:
		op.Kind, becomes = storage.OpCreate, i
	case i%7 == 0:
		op.Kind, becomes = storage.OpDelete, 0
	case i%5 == 0 && token == 0:
		order.PutUint32(a.Grunt.Salt[:], uint32(salt))
		op, becomes = storagetest.AddDeviceOf(a, storagetest.Device(1)), was+crashProof
	case i%5 < 2 && token != 0:
		op, becomes = storagetest.Rotate(p.name, storagetest.Device(1), token, i), was%crashProof+i*crashProof
	case i%3 == 0:
		op = storage.Op{Kind: storage.OpCharacters, Name: p.name, World: crashWorld, Count: uint8(i), Synced: true}
		becomes = token*crashProof + i*crashCount + salt
	}
	p.versions = append(p.versions, becomes)
	return op
}

func (p *player) ack() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.acked++
}

// play lets players write at the same time until all are done or refused. It returns how
// many were refused.
func play(t *testing.T, c *storage.Client, players []*player, writes int) (failed int) {
	var all sync.WaitGroup
	var failures atomic.Int32
	for _, p := range players {
		all.Go(func() {
			for i := range writes {
				results, err := c.Do(context.Background(), p.next(i+1))
				if err == nil {
					err = results[0].Err
				}
				if err != nil {
					if !errors.Is(err, storage.ErrFailed) {
						t.Errorf("%v: %v", p.name, err)
					}
					failures.Add(1)
					return
				}
				p.ack()
			}
		})
	}
	all.Wait()
	return int(failures.Load())
}

func makePlayers(t *testing.T, n int) []*player {
	players := make([]*player, n)
	for i := range players {
		players[i] = &player{name: storagetest.MustName(t, fmt.Sprintf("p%d", i)), versions: []int{0}}
	}
	return players
}

func histories(players []*player) []history {
	hs := make([]history, len(players))
	for i, p := range players {
		hs[i] = p.at()
	}
	return hs
}

// mustHold opens the store after a crash and checks each player.
func mustHold(t *testing.T, fs vfs.FS, hs []history) {
	t.Helper()
	c, err := OpenClient(Options{Dir: "data/store", FS: fs, memTableBytes: 16 << 10})
	if err != nil {
		t.Fatalf("the store does not open: %v", err)
	}
	defer c.Close()
	for _, h := range hs {
		r := storagetest.Do(t, c, storage.Op{Kind: storage.OpGet, Name: h.name})
		token := storagetest.Do(t, c, storage.Op{Kind: storage.OpDevice, Name: h.name, Device: storagetest.Device(1)}).Device
		version := 0
		if r.Err == nil {
			version = int(order.Uint32(r.Account.Grunt.Salt[:]))
			for _, c := range r.Account.Characters {
				version += int(c.Count) * crashCount
			}
			if token != nil {
				version += int(order.Uint32(token.Verifier[:])) * crashProof
			}
			if r.Account.Login.Failed != 1 {
				t.Fatalf("%v: half of a write survived", h.name)
			}
		} else if r.Err != storage.ErrNotFound || token != nil {
			t.Fatalf("%v: %v", h.name, r.Err)
		}
		if !slices.Contains(h.may, version) {
			t.Fatalf("%v is at %d, must be one of %v", h.name, version, h.may)
		}
	}
}

// moment is the disk as a crash at one step would leave it.
type moment struct {
	step int
	fs   *vfs.MemFS
	hs   []history
}

// After a crash at any step that changes the disk, from the creation of the store on, the
// store opens and has all acknowledged writes.
func TestCrash_AtEachStep(t *testing.T) {
	players := makePlayers(t, 4)
	disk := vfs.NewCrashableMem()
	every := 1
	if raceEnabled {
		every = 7
	}
	first := rand.IntN(every)
	t.Logf("each %d-th step from %d", every, first)
	var mu sync.Mutex
	var moments []moment
	step := 0
	hook := errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsRead {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		if step++; step%every == first {
			// The acknowledged writes are read before the disk is copied, so the copy has them.
			hs := histories(players)
			cfg := vfs.CrashCloneCfg{}
			if step%2 == 0 {
				cfg = vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: rand.New(rand.NewPCG(1, uint64(step)))}
			}
			moments = append(moments, moment{step: step, fs: disk.CrashClone(cfg), hs: widen(hs, players)})
		}
		return nil
	})
	c, err := OpenClient(Options{Dir: "data/store", FS: errorfs.Wrap(disk, hook), memTableBytes: 16 << 10})
	if err != nil {
		t.Fatal(err)
	}
	play(t, c, players, 40)
	storagetest.MustClose(t, c)
	if len(moments) < 10 {
		t.Fatalf("only %d moments of %d steps", len(moments), step)
	}
	for _, m := range moments {
		t.Run(fmt.Sprintf("step=%d", m.step), func(t *testing.T) { mustHold(t, m.fs, m.hs) })
	}
}

// widen adds the writes that began while the disk was being copied.
func widen(hs []history, players []*player) []history {
	for i, p := range players {
		hs[i] = p.since(hs[i].acked)
	}
	return hs
}

// At each step one operation fails, or all from it on. No acknowledged write is lost, every
// request is answered, OnFatal is called once, the store closes, and it opens again once
// the disk works.
func TestFault_AtEachStep(t *testing.T) {
	for name, c := range map[string]struct {
		cause error
		last  int32 // how many operations in a row fail
	}{
		"one sync or write fails":   {errorfs.ErrInjected, 1},
		"the disk is full for good": {syscall.ENOSPC, 1 << 30},
	} {
		t.Run(name, func(t *testing.T) {
			every := int32(1)
			if raceEnabled {
				every = 7
			}
			at := rand.Int32N(every)
			for faultAt(t, at, at+c.last, c.cause) {
				at += every
			}
			t.Logf("each %d-th step up to %d", every, at)
			if at < 100 {
				t.Fatal("too few steps")
			}
		})
	}
}

// faultAt lets the operations from, from+1, … to-1 fail. It reports false if there
// were fewer than that.
func faultAt(t *testing.T, from, to int32, cause error) bool {
	t.Helper()
	players := makePlayers(t, 3)
	disk := vfs.NewCrashableMem()
	var step, injected atomic.Int32
	inject := errorfs.InjectorFunc(func(op errorfs.Op) error {
		switch op.Kind {
		case errorfs.OpFileClose, errorfs.OpLock: // descriptors must not leak in a test
			return nil
		}
		if op.Kind.ReadOrWrite() == errorfs.OpIsRead {
			return nil
		}
		if n := step.Add(1) - 1; n < from || n >= to {
			return nil
		}
		injected.Add(1)
		return cause
	})
	var fatal atomic.Int32
	c, err := OpenClient(Options{
		Dir: "data/store", FS: errorfs.Wrap(disk, inject), memTableBytes: 16 << 10,
		OnFatal: func(error) { fatal.Add(1) },
	})
	if err == nil {
		failed := play(t, c, players, 60)
		readsGoOn(t, c, players)
		mustTellFailure(t, c, failed, &fatal, cause)
	} else if injected.Load() == 0 || !errors.Is(err, cause) {
		t.Fatalf("step %d: open: %v", from, err)
	}
	mustHold(t, disk.CrashClone(vfs.CrashCloneCfg{}), histories(players))
	mustHold(t, disk, histories(players))
	return injected.Load() > 0
}

// readsGoOn checks that acknowledged writes can still be read.
func readsGoOn(t *testing.T, c *storage.Client, players []*player) {
	t.Helper()
	for _, h := range histories(players) {
		r := storagetest.Do(t, c, storage.Op{Kind: storage.OpGet, Name: h.name})
		if r.Err != nil && r.Err != storage.ErrNotFound {
			t.Fatalf("%v: %v", h.name, r.Err)
		}
		if r.Err == storage.ErrNotFound && !slices.Contains(h.may, 0) {
			t.Fatalf("%v: no longer there", h.name)
		}
	}
}

// mustTellFailure checks that after a refused write all are refused, that Close returns the
// cause, and that OnFatal was called once.
func mustTellFailure(t *testing.T, c *storage.Client, failed int, fatal *atomic.Int32, cause error) {
	t.Helper()
	store := c.Store().(*Store)
	if failed > 0 {
		if r := storagetest.Do(t, c, storagetest.Create(storagetest.Account(7))); !errors.Is(r.Err, storage.ErrFailed) || !errors.Is(r.Err, cause) {
			t.Fatalf("write after the failure: %v", r.Err)
		}
	}
	err := c.Close()
	if told := store.Stats().Failed; told != (err != nil) || failed > 0 && !told {
		t.Fatalf("%d writes failed, Stats.Failed is %v, Close says %v", failed, told, err)
	}
	if err != nil && !errors.Is(err, cause) {
		t.Fatalf("Close: %v", err)
	}
	if n := fatal.Load(); n > 1 || failed > 0 && n != 1 {
		t.Fatalf("OnFatal was told %d times", n)
	}
}

// A block that cannot be read fails only the request that reads it.
func TestFault_Read(t *testing.T) {
	disk := vfs.NewMem()
	var sick atomic.Bool
	inject := errorfs.InjectorFunc(func(op errorfs.Op) error {
		if sick.Load() && op.Kind == errorfs.OpFileReadAt {
			return syscall.EIO
		}
		return nil
	})
	c, err := OpenClient(Options{Dir: "x", FS: errorfs.Wrap(disk, inject), memTableBytes: 16 << 10})
	if err != nil {
		t.Fatal(err)
	}
	storagetest.Fill(t, c, 0, 500)
	if err := c.Store().(*Store).db.Flush(); err != nil {
		t.Fatal(err)
	}
	storagetest.MustClose(t, c)
	if c, err = OpenClient(Options{Dir: "x", FS: errorfs.Wrap(disk, inject)}); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	sick.Store(true)
	if r := storagetest.Do(t, c, storage.Op{Kind: storage.OpGet, Name: storagetest.Account(1).Name}); !errors.Is(r.Err, syscall.EIO) || r.Account != nil {
		t.Fatalf("%+v", r)
	}
	sick.Store(false)
	storagetest.MustDo(t, c, storage.Op{Kind: storage.OpGet, Name: storagetest.Account(1).Name})
}
