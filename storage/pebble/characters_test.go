package pebble

import (
	"bytes"
	"context"
	"encoding/hex"
	"slices"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"gatepass/storage"
)

func has(n storage.Name, world, count uint8) storage.Op {
	return storage.Op{Kind: storage.OpCharacters, Name: n, World: world, Count: count}
}

// mustCount reads the counts as a login does.
func mustCount(t testing.TB, c *storage.Client, n storage.Name) []storage.WorldCount {
	t.Helper()
	return mustDo(t, c, storage.Op{Kind: storage.OpGet, Name: n, Brief: true})[0].Account.Characters
}

func wantCount(t testing.TB, c *storage.Client, n storage.Name, want ...storage.WorldCount) {
	t.Helper()
	if got := mustCount(t, c, n); !slices.Equal(got, want) {
		t.Fatalf("%v: got %v, want %v", n, got, want)
	}
}

func TestCharacters_SortedAndForgotten(t *testing.T) {
	c := mustOpen(t, vfs.NewMem())
	fill(t, c, 1, 2)
	n := numbered(1).Name
	wantCount(t, c, n)
	mustDo(t, c, has(n, 7, 1), has(n, 255, 9), has(n, 1, 2), has(n, 7, 3), has(n, 3, 0))
	wantCount(t, c, n, storage.WorldCount{World: 1, Count: 2}, storage.WorldCount{World: 7, Count: 3}, storage.WorldCount{World: 255, Count: 9})
	mustDo(t, c, has(n, 7, 0))
	wantCount(t, c, n, storage.WorldCount{World: 1, Count: 2}, storage.WorldCount{World: 255, Count: 9})
	mustDo(t, c, has(n, 1, 0), has(n, 255, 0))
	if got := mustCount(t, c, n); got != nil {
		t.Fatalf("got %v", got)
	}
	if list := mustDo(t, c, has(n, 5, 5), storage.Op{Kind: storage.OpList})[1].Accounts; len(list) != 1 {
		t.Fatal(list)
	}
	if r := do(t, c, has(n, 0, 1)); r.Err != storage.ErrInvalid {
		t.Fatal("world 0:", r.Err)
	}
	mustDo(t, c, has(mustName(t, "nobody"), 1, 1))
	if r := do(t, c, storage.Op{Kind: storage.OpGet, Name: mustName(t, "nobody")}); r.Err != storage.ErrNotFound {
		t.Fatal("nobody:", r.Err)
	}
}

func TestCharacters_EveryWorld(t *testing.T) {
	fs := vfs.NewMem()
	c := mustOpen(t, fs)
	fill(t, c, 1, 2)
	n := numbered(1).Name
	for world := 255; world > 0; world-- {
		mustDo(t, c, has(n, uint8(world), uint8(world)))
	}
	mustClose(t, c)
	got := mustCount(t, mustOpen(t, fs), n)
	for i, count := range got {
		if want := (storage.WorldCount{World: uint8(i + 1), Count: uint8(i + 1)}); count != want {
			t.Fatalf("got %v, want %v", count, want)
		}
	}
	if len(got) != 255 {
		t.Fatal(len(got))
	}
}

// What else is written to an account leaves its counts; only deleting it does not.
func TestCharacters_SurviveOtherWrites(t *testing.T) {
	n, other := numbered(1).Name, numbered(2)
	count := storage.WorldCount{World: 4, Count: 2}
	for name, oneGroup := range map[string]bool{"one group": true, "each a group": false} {
		t.Run(name, func(t *testing.T) {
			c := mustOpen(t, vfs.NewMem())
			send := func(ops ...storage.Op) {
				if oneGroup {
					mustDo(t, c, ops...)
					return
				}
				for _, op := range ops {
					mustDo(t, c, op)
				}
			}
			send(
				create(numbered(1)), has(n, 4, 2),
				storage.Op{Kind: storage.OpSetVerifier, Name: n, Account: other},
				storage.Op{Kind: storage.OpSetFactors, Name: n, Account: &storage.Account{PIN: "1234"}},
				storage.Op{Kind: storage.OpBan, Name: n, Ban: storage.Ban{Until: 7}}, storage.Op{Kind: storage.OpUnban, Name: n},
				storage.Op{Kind: storage.OpLoginFailed, Name: n, At: 1}, storage.Op{Kind: storage.OpLogin, Name: n, At: 2},
			)
			wantCount(t, c, n, count)
			a := mustDo(t, c, storage.Op{Kind: storage.OpGet, Name: n})[0].Account
			if a.PIN != "1234" || a.Grunt != other.Grunt || a.Login.LastLogin != 2 {
				t.Fatalf("counting undid something: %+v", a)
			}
			send(storage.Op{Kind: storage.OpDelete, Name: n}, has(n, 4, 3), create(numbered(1)))
			wantCount(t, c, n)
		})
	}
}

// The counts that OpCreate was given are the caller's: later ones in the same
// group must not change them in place.
func TestCharacters_LeaveTheCallersAccountAlone(t *testing.T) {
	c := mustOpen(t, vfs.NewMem())
	a := numbered(1)
	a.Characters = append(make([]storage.WorldCount, 0, 8), storage.WorldCount{World: 2, Count: 2}, storage.WorldCount{World: 3, Count: 3})
	mustDo(t, c, create(a), has(a.Name, 1, 1), has(a.Name, 2, 9), has(a.Name, 3, 0))
	wantCount(t, c, a.Name, storage.WorldCount{World: 1, Count: 1}, storage.WorldCount{World: 2, Count: 9})
	if want := []storage.WorldCount{{World: 2, Count: 2}, {World: 3, Count: 3}}; !slices.Equal(a.Characters, want) {
		t.Fatalf("got %v, want %v", a.Characters, want)
	}
}

// Nothing is written when a world repeats itself.
func TestCharacters_KnownAlready_WritesNothing(t *testing.T) {
	c := mustOpen(t, vfs.NewMem())
	fill(t, c, 1, 2)
	n := numbered(1).Name
	mustDo(t, c, has(n, 4, 2))
	b := newBuilder(c.Store().(*Store).db)
	for _, op := range []storage.Op{has(n, 4, 2), has(n, 5, 0), has(mustName(t, "nobody"), 1, 1)} {
		b.begin(nil)
		b.add(&op)
		g, err := b.end()
		if err != nil || g.results[0].Err != nil {
			t.Fatal(err, g.results[0].Err)
		}
		if !g.batch.Empty() || g.waited {
			t.Errorf("%d on %d: %d bytes, waited %v", op.Count, op.World, g.batch.Len(), g.waited)
		}
		_ = g.batch.Close()
	}
}

// A note costs no fsync, and is durable with the next write that has one.
func TestCharacters_RideOnTheNextSync(t *testing.T) {
	fs := vfs.NewCrashableMem()
	c := mustOpen(t, fs)
	fill(t, c, 1, 2)
	n := numbered(1).Name
	crashed := func() *storage.Client { return mustOpen(t, fs.CrashClone(vfs.CrashCloneCfg{})) }
	before := c.Store().(*Store).Stats().Syncs
	mustDo(t, c, has(n, 4, 2))
	if got := c.Store().(*Store).Stats().Syncs; got != before {
		t.Fatalf("%d syncs for a note", got-before)
	}
	wantCount(t, crashed(), n)
	fill(t, c, 2, 3)
	wantCount(t, crashed(), n, storage.WorldCount{World: 4, Count: 2})
	synced := has(n, 4, 3)
	synced.Synced = true
	mustDo(t, c, synced)
	wantCount(t, crashed(), n, storage.WorldCount{World: 4, Count: 3})
}

// Worlds report and players log in at the same time, each world in its own order.
func TestCharacters_WhilePlayersLogIn(t *testing.T) {
	const worlds, rounds, players = 4, 50, 3
	c := mustOpen(t, vfs.NewMem())
	fill(t, c, 0, players)
	var all sync.WaitGroup
	send := func(op func(player, round int) storage.Op) {
		all.Go(func() {
			for round := range rounds {
				ops := make([]storage.Op, players)
				for p := range ops {
					ops[p] = op(p, round)
				}
				if _, err := c.Do(context.Background(), ops...); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for w := range worlds {
		send(func(p, round int) storage.Op { return has(numbered(p).Name, uint8(w+1), uint8(round+p)) })
	}
	send(func(p, round int) storage.Op {
		return storage.Op{Kind: storage.OpLogin, Name: numbered(p).Name, At: int64(round + 1)}
	})
	send(func(p, round int) storage.Op {
		return storage.Op{Kind: storage.OpBan, Name: numbered(p).Name, Ban: storage.Ban{Until: int64(round)}}
	})
	all.Wait()
	for p := range players {
		a := mustDo(t, c, storage.Op{Kind: storage.OpGet, Name: numbered(p).Name})[0].Account
		last := uint8(rounds - 1 + p)
		want := []storage.WorldCount{{World: 1, Count: last}, {World: 2, Count: last}, {World: 3, Count: last}, {World: 4, Count: last}}
		if !slices.Equal(a.Characters, want) || a.Login.LastLogin != rounds || a.Ban.Until != rounds-1 {
			t.Errorf("%+v, want the counts %v", a, want)
		}
	}
}

// formerRecord is a record as format 1 has it: a PIN, and nothing of characters.
const formerRecord = "01" + "04" + "0100000000000000" + "0431323334"

// A store of format 1 opens, its records are read as they are, and it has the
// newest format from then on.
func TestFormat_StoreWithoutCharacterCounts(t *testing.T) {
	record, err := hex.DecodeString(formerRecord)
	if err != nil {
		t.Fatal(err)
	}
	fs, n := vfs.NewMem(), mustName(t, "old")
	db, f := mustDB(t, fs)
	var k keyBuf
	if err := migrate(db, f, formatSteps()[:1], bytes.NewReader(make([]byte, 32))); err != nil {
		t.Fatal(err)
	}
	if err := db.Set(k.account(&n), record, pebble.Sync); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	c := mustOpen(t, fs)
	if a := mustDo(t, c, storage.Op{Kind: storage.OpGet, Name: n})[0].Account; a.PIN != "1234" || a.Created != 1 || a.Characters != nil {
		t.Fatalf("%+v", a)
	}
	mustDo(t, c, has(n, 4, 2))
	wantCount(t, c, n, storage.WorldCount{World: 4, Count: 2})
	if a := mustDo(t, c, storage.Op{Kind: storage.OpGet, Name: n})[0].Account; a.PIN != "1234" {
		t.Fatalf("%+v", a)
	}
	if at, err := readFormat(c.Store().(*Store).db); int(at) != len(formatSteps()) || err != nil {
		t.Fatal(at, err)
	}
	// Without any counts it is the old record again, byte for byte.
	if got := appendAccount(nil, &storage.Account{Created: 1, PIN: "1234"}); !bytes.Equal(got, record) {
		t.Fatalf("%x", got)
	}
}
