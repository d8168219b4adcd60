package worlds

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"gatepass/codec"
)

// newTestPasses returns a node that gives keys to every node and takes all offers.
func newTestPasses(self Node, most int) *Passes[int] {
	p := NewPasses(PassOptions[int]{
		Self: self, Incarnation: 1, MaxMoves: most,
		Verify: func(h *Held[int], proof *Proof) bool { return true },
		Takes:  func(Node, *Move) Reason { return ReasonNone },
		Gives:  func(Node) bool { return true },
	})
	p.Tick(1)
	return p
}

func testName(n int) codec.Name {
	name, _ := codec.NameOf(fmt.Sprintf("P%d", n))
	return name
}

// exchange carries messages between two nodes until there are none, and returns their
// number.
func exchange(a, b *Passes[int]) (n int) {
	for {
		moved := carry(a, b) + carry(b, a)
		if moved == 0 {
			return n
		}
		n += moved
	}
}

func carry(from, to *Passes[int]) int {
	out := from.Outgoing()
	for i := range out {
		to.Handle(from.options.Self, &out[i].Move)
	}
	return len(out)
}

// keysLeft counts the records and buffers of a node that contain a key.
func keysLeft(p *Passes[int]) (n int) {
	count := func(s *Secret) {
		if *s != (Secret{}) {
			n++
		}
	}
	for _, list := range [][]*account[int]{p.keys.all, p.keys.free} {
		for _, a := range list {
			count(&a.held.key)
		}
	}
	for _, list := range [][]*move[int]{p.moves.queue, p.moves.free} {
		for _, mv := range list {
			count(&mv.held.key)
		}
	}
	for _, list := range [][]OutgoingMove{p.out[:cap(p.out)], p.outGiven[:cap(p.outGiven)]} {
		for i := range list {
			count(&list[i].Move.Key)
		}
	}
	count(&p.scratch.key)
	return n
}

func TestPass_WipesEveryCopy(t *testing.T) {
	login, world := newTestPasses("login.a", 0), newTestPasses("world.1", 0)
	key := NewSecret([]byte("secret"))
	settle := func(what string, inLogin, inWorld int) {
		t.Helper()
		exchange(login, world)
		login.Outgoing() // the next call wipes a buffer
		world.Outgoing()
		if l, w := keysLeft(login), keysLeft(world); l != inLogin || w != inWorld {
			t.Errorf("%s: the login server has %d copies, want %d; the world %d, want %d", what, l, inLogin, w, inWorld)
		}
	}
	login.Hold(testName(1), 1, &key)
	settle("held", 1, 0)
	if err := world.Claim(PassID{1}, testName(1), "login.a", &Proof{}); err != nil {
		t.Fatal(err)
	}
	settle("claimed", 0, 1)
	world.Drop(testName(1))
	settle("dropped", 0, 0)
	if err := login.Offer(PassID{2}, testName(2), 1, "world.1", &key); err != nil {
		t.Fatal(err)
	}
	settle("offered", 0, 1)
	if _, err := world.Use(PassID{2}); err != nil {
		t.Fatal(err)
	}
	world.Tick(2)
	settle("used", 0, 0)
	if err := login.Offer(PassID{3}, testName(3), 1, "world.1", &key); err != nil {
		t.Fatal(err)
	}
	settle("offered again", 0, 1)
	world.Tick(1 << 20)
	settle("expired", 0, 0)
	if err := login.Offer(PassID{4}, testName(4), 1, "world.9", &key); err != nil {
		t.Fatal(err)
	}
	login.Outgoing()
	login.Tick(1 << 20)
	login.Outgoing()
	login.Outgoing()
	settle("given up", 0, 0)
	login.Hold(testName(5), 1, &key)
	login.Hold(testName(5), 2, &Secret{})
	settle("replaced", 0, 0)
}

func TestPass_UseShowsTheKeyUntilTheNextTick(t *testing.T) {
	login, world := newTestPasses("login.a", 0), newTestPasses("world.1", 0)
	key := NewSecret([]byte("secret"))
	if err := login.Offer(PassID{1}, testName(1), 1, "world.1", &key); err != nil {
		t.Fatal(err)
	}
	exchange(login, world)
	h, err := world.Use(PassID{1})
	if err != nil || string(h.Key().Bytes()) != "secret" {
		t.Fatalf("used: %v, %v", h, err)
	}
	world.Tick(1)
	if h.Key() != nil || !h.key.Empty() {
		t.Error("the key is still there after a Tick")
	}
}

func TestPass_NothingShowsAKey(t *testing.T) {
	p := newTestPasses("login.a", 0)
	key := NewSecret([]byte("SECRETSECRET"))
	h, _ := p.Hold(testName(1), 1, &key)
	if err := p.Offer(PassID{1}, testName(2), 1, "world.1", &key); err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{h, *h, p.Outgoing(), p.Outcomes()} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
			if s := fmt.Sprintf(format, v); strings.Contains(s, "SECRET") || strings.Contains(s, "83 69 67") || strings.Contains(s, "0x53, 0x45") {
				t.Errorf("%s of %T shows the key: %s", format, v, s)
			}
		}
	}
}

// TestPass_AnUnknownAccountCostsAsMuchAsAWrongProof: both call Verify once. For an
// unknown account, Verify gets a key of zeros, and its result is ignored.
func TestPass_AnUnknownAccountCostsAsMuchAsAWrongProof(t *testing.T) {
	asked := 0
	p := NewPasses(PassOptions[int]{
		Self: "login.a", Gives: func(Node) bool { return true },
		Verify: func(h *Held[int], proof *Proof) bool {
			if asked++; h.Key() == nil || len(h.Key().Bytes()) != proofKeySize || h.Account == (codec.Name{}) {
				t.Errorf("asked about %v with a key of %v", h, h.Key())
			}
			return true
		},
	})
	p.Tick(1)
	key := NewSecret(make([]byte, proofKeySize))
	p.Hold(testName(1), 1, &key)
	for i, want := range []MoveKind{MoveOffer, MoveRefuse} {
		p.Handle("world.1", &Move{Kind: MoveClaim, Pass: PassID{byte(i)}, Account: testName(1 + i), Proof: &Proof{}})
		if out := p.Outgoing(); len(out) != 1 || out[0].Move.Kind != want || asked != i+1 {
			t.Errorf("claim %d: %v, asked %d times", i, out, asked)
		}
	}
}

func TestPass_RemembersSoManyEndings(t *testing.T) {
	p := newTestPasses("world.1", 16)
	key := NewSecret([]byte("secret"))
	for i := range 1000 {
		id := simPassID(i)
		p.Handle("login.a", &Move{Kind: MoveOffer, Pass: id, Account: testName(i), Stamp: 1, Key: key, Validity: 1})
		p.Handle("login.a", &Move{Kind: MoveRecall, Pass: id})
		p.Outgoing()
	}
	if n := len(p.ended.byPass); n != 64 || len(p.ended.ring) > 64 {
		t.Errorf("%d endings are remembered, in a ring of %d", n, len(p.ended.ring))
	}
	if p.ended.find(simPassID(1000-65)) != nil || p.ended.find(simPassID(1000-64)) == nil {
		t.Error("it is not the oldest that are forgotten")
	}
	p.Tick(1 << 20)
	if n := len(p.ended.byPass); n != 0 {
		t.Errorf("%d endings are remembered for ever", n)
	}
	if n := p.Moves() + len(p.keys.all); n != 0 || len(p.moves.free) > 1 || len(p.keys.free) > 1 {
		t.Errorf("%d records are in use, %d and %d free", n, len(p.moves.free), len(p.keys.free))
	}
}

// TestPass_LooksAtMovesInOrder compares the heap with a linear search.
func TestPass_LooksAtMovesInOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var table moveTable[int]
	table.init()
	var accounts keyTable[int]
	accounts.init()
	var all []*move[int]
	for i := range 5000 {
		switch n := rng.IntN(3); {
		case n == 0 || len(all) == 0:
			mv := table.add(simPassID(i), accounts.make(testName(i%7)), "world.1")
			table.schedule(mv, rng.Int64N(100))
			all = append(all, mv)
		case n == 1:
			table.schedule(all[rng.IntN(len(all))], rng.Int64N(100))
		default:
			k := rng.IntN(len(all))
			table.remove(all[k])
			all = append(all[:k], all[k+1:]...)
		}
		least := int64(1 << 40)
		for _, mv := range all {
			least = min(least, mv.due)
		}
		if first := table.first(); first != nil && first.due != least || table.len() != len(all) {
			t.Fatalf("step %d: the first of %d is due at %v, not %d", i, len(all), first, least)
		}
	}
}

func TestPass_EachGoesInOneOrder(t *testing.T) {
	p := newTestPasses("login.a", 0)
	key := NewSecret([]byte("secret"))
	for i := range 5 {
		p.Hold(testName(i), 1, &key)
	}
	p.Drop(testName(1))
	p.Handle("world.1", &Move{Kind: MoveClaim, Pass: PassID{1}, Account: testName(3), Proof: &Proof{}})
	got := ""
	p.Each(func(h *Held[int]) { got += h.Account.String() + " " })
	if got != "P0 P4 P2 " || p.Len() != 4 {
		t.Errorf("Each: %s; Len: %d", got, p.Len())
	}
}

func TestPass_PassesNeedAnIncarnation(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a node that takes passes was made without one")
		}
	}()
	NewPasses(PassOptions[int]{Takes: func(Node, *Move) Reason { return ReasonNone }})
}

// TestPass_AllocatesNothing: neither a login nor a pass allocates memory after a node
// has its records.
func TestPass_AllocatesNothing(t *testing.T) {
	login, world := newTestPasses("login.a", 0), newTestPasses("world.1", 0)
	key := NewSecret([]byte("secret"))
	name, n := testName(1), 0
	if got := testing.AllocsPerRun(500, func() {
		login.Hold(name, 1, &key)
		login.Hold(name, 2, &key)
		login.Find(name)
		login.Drop(name)
	}); got != 0 {
		t.Errorf("a login allocates %v times", got)
	}
	pass := func() {
		n++
		walk(t, login, world, n, &key)
	}
	for range 1000 {
		pass()
	}
	if got := testing.AllocsPerRun(500, pass); got != 0 {
		t.Errorf("a pass allocates %v times", got)
	}
}

// walk takes pass after pass from its offer to its use, one per second.
func walk(t testing.TB, login, world *Passes[int], n int, key *Secret) {
	login.Tick(int64(n) * 1000)
	world.Tick(int64(n) * 1000)
	if err := login.Offer(simPassID(n), codec.Name{'A'}, Stamp(n), "world.1", key); err != nil {
		t.Fatal(err)
	}
	exchange(login, world)
	if _, err := world.Use(simPassID(n)); err != nil {
		t.Fatal(err)
	}
	exchange(login, world)
	if got := login.Outcomes(); len(got) != 2 || got[1].Kind != OutcomeAdmitted {
		t.Fatalf("pass %d: %v", n, got)
	}
	world.Outcomes()
}

func BenchmarkPass_Hold(b *testing.B) {
	p := newTestPasses("login.a", 0)
	key := NewSecret([]byte("secret"))
	names := make([]codec.Name, 10_000)
	for i := range names {
		names[i] = testName(i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p.Hold(names[i%len(names)], Stamp(i+1), &key)
		if i%2 == 1 {
			p.Drop(names[i%len(names)])
		}
	}
}

func BenchmarkPass_Offer(b *testing.B) {
	login, world := newTestPasses("login.a", 0), newTestPasses("world.1", 0)
	key := NewSecret([]byte("secret"))
	b.ReportAllocs()
	for n := 1; b.Loop(); n++ {
		walk(b, login, world, n, &key)
	}
}

// After the key of a newer login was claimed, a pass of an older login is not accepted.
func TestPass_AClaimedKeyEndsOlderPasses(t *testing.T) {
	older, newer, world := newTestPasses("login.a", 0), newTestPasses("login.b", 0), newTestPasses("world.1", 0)
	key := NewSecret([]byte("secret"))
	if err := older.Offer(PassID{1}, testName(1), 5, "world.1", &key); err != nil {
		t.Fatal(err)
	}
	exchange(older, world)
	newer.Hold(testName(1), 9, &key)
	if err := world.Claim(PassID{2}, testName(1), "login.b", &Proof{}); err != nil {
		t.Fatal(err)
	}
	exchange(newer, world)
	if h := world.Find(testName(1)); h == nil || h.Stamp != 9 || world.Pass(PassID{1}) != nil {
		t.Errorf("the world holds %v", h)
	}
	if h, err := world.Use(PassID{1}); err == nil {
		t.Errorf("the older pass let %v in", h)
	}
}

func TestPass_HoldAtKeepsTheHop(t *testing.T) {
	login, world := newTestPasses("login.a", 0), newTestPasses("world.1", 0)
	key := NewSecret([]byte("secret"))
	if err := login.Offer(PassID{1}, testName(1), 5, "world.1", &key); err != nil {
		t.Fatal(err)
	}
	exchange(login, world)
	world.Hold(testName(1), 4, &key)
	used, err := world.Use(PassID{1})
	if err != nil {
		t.Fatal(err)
	}
	h, replaced := world.HoldAt(used.Account, used.Stay(), used.Key())
	if replaced == nil || h.Hop != 1 || h.Stamp != 5 || string(h.Key().Bytes()) != "secret" || world.Len() != 1 {
		t.Errorf("%v, in place of %v", h, replaced)
	}
	world.Tick(2)
	exchange(login, world)
	if h.Key() == nil || world.Find(testName(1)) != h {
		t.Error("the key went with the pass")
	}
}

// The offer for a claim must match it. The key of another account, an empty key, a
// pass, and a key with too many or no moves are refused.
func TestPass_AnOfferIsWhatWasClaimed(t *testing.T) {
	key := NewSecret([]byte("secret"))
	for name, offer := range map[string]Move{
		"another account's": {Account: testName(2), Stamp: 5, Hop: 1, Key: key},
		"no key":            {Account: testName(1), Stamp: 5, Hop: 1},
		"a pass":            {Account: testName(1), Stamp: 5, Hop: 1, Key: key, Validity: 1000},
		"no hop":            {Account: testName(1), Stamp: 5, Key: key},
		"too many hops":     {Account: testName(1), Stamp: 5, Hop: MaxHop + 1, Key: key},
	} {
		t.Run(name, func(t *testing.T) {
			world := newTestPasses("world.1", 0)
			if err := world.Claim(PassID{1}, testName(1), "login.a", &Proof{}); err != nil {
				t.Fatal(err)
			}
			world.Outgoing()
			offer.Kind, offer.Pass = MoveOffer, PassID{1}
			world.Handle("login.a", &offer)
			if out := world.Outgoing(); len(out) != 1 || out[0].Move.Kind != MoveRefuse {
				t.Errorf("the answer is %+v", out)
			}
			if o := world.Outcomes(); len(o) != 1 || o[0].Kind != OutcomeNotTaken || world.Moves() != 0 || world.Len() != 0 {
				t.Errorf("it comes out as %+v", o)
			}
		})
	}
}

// A key that has moved MaxHop times cannot move again.
func TestPass_AKeyMovesSoOftenOnly(t *testing.T) {
	login := newTestPasses("login.a", 0)
	key := NewSecret([]byte("secret"))
	for hop, want := range map[uint32]MoveKind{MaxHop - 1: MoveOffer, MaxHop: MoveRefuse} {
		login.HoldAt(testName(1), Stay{Stamp: Stamp(hop), Hop: hop}, &key)
		login.Handle("world.1", &Move{Kind: MoveClaim, Pass: PassID{byte(want)}, Account: testName(1), Proof: &Proof{}})
		if out := login.Outgoing(); len(out) != 1 || out[0].Move.Kind != want {
			t.Errorf("at hop %d the answer is %+v", hop, out)
		}
		login.Drop(testName(1))
		login.Outgoing()
	}
}

// A Commit that is repeated vouches for the same stay, whatever the repeated question
// contains.
func TestPass_ACommitSaidAgainVouchesForTheSameStay(t *testing.T) {
	login := newTestPasses("login.a", 0)
	login.options.Vouchers = testVouchers()
	key := NewSecret([]byte("secret"))
	login.Hold(testName(1), 5, &key)
	login.Handle("world.1", &Move{Kind: MoveClaim, Pass: PassID{1}, Account: testName(1), Proof: &Proof{}})
	login.Handle("world.1", &Move{Kind: MoveAccept, Pass: PassID{1}, Account: testName(1), Stamp: 5, Hop: 1, Ticket: 9})
	login.Outgoing()
	login.Handle("world.1", &Move{Kind: MoveAccept, Pass: PassID{1}, Account: testName(2), Stamp: 500, Hop: 7, Ticket: 9})
	out := login.Outgoing()
	if len(out) != 1 || out[0].Move.Kind != MoveCommit {
		t.Fatalf("%+v", out)
	}
	stay := Stay{Stamp: 5, Hop: 1, Voucher: out[0].Move.Voucher}
	if v := testVouchers(); !v.Right("world.1", testName(1), stay) {
		t.Errorf("the voucher %v is not for what was handed over", stay.Voucher)
	}
}

// A world can give back only what it has claimed, as its voucher says. The key of a
// pass is valid for that world only and is not accepted as the account's key.
func TestPass_AWorldGivesBackWhatItWasGiven(t *testing.T) {
	key, v := NewSecret([]byte("secret")), testVouchers()
	was := Stay{Stamp: 5, Hop: 1}
	voucher := func(kind VoucherKind, world Node) Voucher { return v.Make(kind, world, testName(1), was) }
	for name, offer := range map[string]Move{
		"right":            {Stamp: 5, Hop: 2, Voucher: voucher(VoucherClaimed, "world.1")},
		"none":             {Stamp: 5, Hop: 2},
		"a pass's":         {Stamp: 5, Hop: 2, Voucher: voucher(VoucherPass, "world.1")},
		"another world's":  {Stamp: 5, Hop: 2, Voucher: voucher(VoucherClaimed, "world.2")},
		"of another stamp": {Stamp: 6, Hop: 2, Voucher: voucher(VoucherClaimed, "world.1")},
		"of another hop":   {Stamp: 5, Hop: 3, Voucher: voucher(VoucherClaimed, "world.1")},
	} {
		t.Run(name, func(t *testing.T) {
			login := newTestPasses("login.a", 0)
			login.options.Vouchers = v
			if err := login.Claim(PassID{1}, testName(1), "world.1", &Proof{}); err != nil {
				t.Fatal(err)
			}
			login.Outgoing()
			offer.Kind, offer.Pass, offer.Account, offer.Key = MoveOffer, PassID{1}, testName(1), key
			login.Handle("world.1", &offer)
			want := MoveRefuse
			if name == "right" {
				want = MoveAccept
			}
			if out := login.Outgoing(); len(out) != 1 || out[0].Move.Kind != want {
				t.Errorf("the answer is %+v", out)
			}
		})
	}
}
