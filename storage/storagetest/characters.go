package storagetest

import (
	"context"
	"slices"
	"sync"
	"testing"

	"gatepass/storage"
)

func testCharactersSortedAndForgotten(t *testing.T, newEngine NewEngine) {
	c := MustOpen(t, newEngine(t))
	Fill(t, c, 1, 2)
	n := Account(1).Name
	WantCount(t, c, n)
	MustDo(t, c, HasCharacters(n, 7, 1), HasCharacters(n, 255, 9), HasCharacters(n, 1, 2), HasCharacters(n, 7, 3), HasCharacters(n, 3, 0))
	WantCount(t, c, n, storage.WorldCount{World: 1, Count: 2}, storage.WorldCount{World: 7, Count: 3}, storage.WorldCount{World: 255, Count: 9})
	MustDo(t, c, HasCharacters(n, 7, 0))
	WantCount(t, c, n, storage.WorldCount{World: 1, Count: 2}, storage.WorldCount{World: 255, Count: 9})
	MustDo(t, c, HasCharacters(n, 1, 0), HasCharacters(n, 255, 0))
	if got := MustCount(t, c, n); got != nil {
		t.Fatalf("got %v", got)
	}
	if list := MustDo(t, c, HasCharacters(n, 5, 5), storage.Op{Kind: storage.OpList})[1].Accounts; len(list) != 1 {
		t.Fatal(list)
	}
	if r := Do(t, c, HasCharacters(n, 0, 1)); r.Err != storage.ErrInvalid {
		t.Fatal("world 0:", r.Err)
	}
	MustDo(t, c, HasCharacters(MustName(t, "nobody"), 1, 1))
	if r := Do(t, c, storage.Op{Kind: storage.OpGet, Name: MustName(t, "nobody")}); r.Err != storage.ErrNotFound {
		t.Fatal("nobody:", r.Err)
	}
}

func testCharactersEveryWorld(t *testing.T, newEngine NewEngine) {
	engine := newEngine(t)
	c := MustOpen(t, engine)
	Fill(t, c, 1, 2)
	n := Account(1).Name
	for world := 255; world > 0; world-- {
		MustDo(t, c, HasCharacters(n, uint8(world), uint8(world)))
	}
	MustClose(t, c)
	got := MustCount(t, MustOpen(t, engine), n)
	for i, count := range got {
		if want := (storage.WorldCount{World: uint8(i + 1), Count: uint8(i + 1)}); count != want {
			t.Fatalf("got %v, want %v", count, want)
		}
	}
	if len(got) != 255 {
		t.Fatal(len(got))
	}
}

// Other changes of an account keep its counts; deleting it removes them.
func testCharactersSurviveOtherWrites(t *testing.T, newEngine NewEngine) {
	n, other := Account(1).Name, Account(2)
	count := storage.WorldCount{World: 4, Count: 2}
	for name, oneGroup := range map[string]bool{"one group": true, "each a group": false} {
		t.Run(name, func(t *testing.T) {
			c := MustOpen(t, newEngine(t))
			send := func(ops ...storage.Op) {
				if oneGroup {
					MustDo(t, c, ops...)
					return
				}
				for _, op := range ops {
					MustDo(t, c, op)
				}
			}
			send(
				Create(Account(1)), HasCharacters(n, 4, 2),
				storage.Op{Kind: storage.OpSetVerifier, Name: n, Account: other},
				storage.Op{Kind: storage.OpSetFactors, Name: n, Account: &storage.Account{PIN: "1234"}},
				storage.Op{Kind: storage.OpBan, Name: n, Ban: storage.Ban{Until: 7}}, storage.Op{Kind: storage.OpUnban, Name: n},
				storage.Op{Kind: storage.OpLoginFailed, Name: n, At: 1}, storage.Op{Kind: storage.OpLogin, Name: n, At: 2},
			)
			WantCount(t, c, n, count)
			a := MustDo(t, c, storage.Op{Kind: storage.OpGet, Name: n})[0].Account
			if a.PIN != "1234" || a.Grunt != other.Grunt || a.Login.LastLogin != 2 {
				t.Fatalf("counting undid something: %+v", a)
			}
			send(storage.Op{Kind: storage.OpDelete, Name: n}, HasCharacters(n, 4, 3), Create(Account(1)))
			WantCount(t, c, n)
		})
	}
}

// The counts given to OpCreate belong to the caller: later requests of the same group must
// not change them.
func testCharactersLeaveTheCallersAccountAlone(t *testing.T, newEngine NewEngine) {
	c := MustOpen(t, newEngine(t))
	a := Account(1)
	a.Characters = append(make([]storage.WorldCount, 0, 8), storage.WorldCount{World: 2, Count: 2}, storage.WorldCount{World: 3, Count: 3})
	MustDo(t, c, Create(a), HasCharacters(a.Name, 1, 1), HasCharacters(a.Name, 2, 9), HasCharacters(a.Name, 3, 0))
	WantCount(t, c, a.Name, storage.WorldCount{World: 1, Count: 1}, storage.WorldCount{World: 2, Count: 9})
	if want := []storage.WorldCount{{World: 2, Count: 2}, {World: 3, Count: 3}}; !slices.Equal(a.Characters, want) {
		t.Fatalf("got %v, want %v", a.Characters, want)
	}
}

// Worlds report counts while players log in; each world's reports keep their order.
func testCharactersWhilePlayersLogIn(t *testing.T, newEngine NewEngine) {
	const worlds, rounds, players = 4, 50, 3
	c := MustOpen(t, newEngine(t))
	Fill(t, c, 0, players)
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
		send(func(p, round int) storage.Op { return HasCharacters(Account(p).Name, uint8(w+1), uint8(round+p)) })
	}
	send(func(p, round int) storage.Op {
		return storage.Op{Kind: storage.OpLogin, Name: Account(p).Name, At: int64(round + 1)}
	})
	send(func(p, round int) storage.Op {
		return storage.Op{Kind: storage.OpBan, Name: Account(p).Name, Ban: storage.Ban{Until: int64(round)}}
	})
	all.Wait()
	for p := range players {
		a := MustDo(t, c, storage.Op{Kind: storage.OpGet, Name: Account(p).Name})[0].Account
		last := uint8(rounds - 1 + p)
		want := []storage.WorldCount{{World: 1, Count: last}, {World: 2, Count: last}, {World: 3, Count: last}, {World: 4, Count: last}}
		if !slices.Equal(a.Characters, want) || a.Login.LastLogin != rounds || a.Ban.Until != rounds-1 {
			t.Errorf("%+v, want the counts %v", a, want)
		}
	}
}
