package perf

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"gatepass/auth"
	"gatepass/codec"
	"gatepass/codec/grunt"
	"gatepass/logic"
	"gatepass/storage"
	"gatepass/worlds"
)

// script plays logins straight into a core: what its neighbours say to it is
// always the same.
type script struct {
	core *logic.Core
	now  int64
	n    int64

	mint, right                        auth.Result
	opened, hello, proof, list, closed codec.Message
	account                            storage.Result
}

// newScript makes a core; on a bus, if there is one.
func newScript(tb testing.TB, bus logic.Bus) *script {
	tb.Helper()
	list := demoWorlds(tb)
	ports := logic.Ports{Out: deaf{}, Store: deafStore{}, Prover: deafProver{}, Worlds: list}
	options := coreOptions()
	if bus != nil {
		ports.Bus, ports.Region = bus, worlds.NewMember(list, worlds.MemberOptions{})
		options.Decoys.Shared = true // a server that has not met its region lets nobody in
	}
	core, err := logic.NewCore(options, ports)
	if err != nil {
		tb.Fatal(err)
	}
	conn := codec.NewConn(0, 1, 1)
	hello := codec.Hello{Name: codec.Name{'A'}, Build: uint16(grunt.Build1121)}
	s := &script{
		core: core, now: 1_700_000_000_000,
		mint: auth.Result{Kind: auth.JobMint}, right: auth.Result{Kind: auth.JobProve, Tag: uint64(conn)},
		opened:  codec.Message{Kind: codec.KindOpened, Conn: conn},
		hello:   codec.Message{Kind: codec.KindLogonChallenge, Conn: conn, Hello: hello},
		proof:   codec.Message{Kind: codec.KindLogonProof, Conn: conn},
		list:    codec.Message{Kind: codec.KindWorldList, Conn: conn},
		closed:  codec.Message{Kind: codec.KindClosed, Conn: conn},
		account: storage.Result{Kind: storage.OpGet, Tag: uint64(conn), Account: &storage.Account{Grunt: storage.GruntVerifier{Set: true}}},
	}
	core.Step(logic.FromClock(s.now, s.now))
	return s
}

// login plays one, in one round.
func (s *script) login() {
	if s.n++; s.n%batch == 0 {
		s.now += 100
		s.core.Step(logic.FromClock(s.now, s.now))
	}
	s.core.Step(logic.FromPool(&s.mint))
	s.core.Step(logic.FromClient(&s.opened))
	s.core.Step(logic.FromClient(&s.hello))
	s.core.Step(logic.FromStore(&s.account))
	s.core.Step(logic.FromClient(&s.proof))
	s.core.Step(logic.FromPool(&s.right))
	s.core.Step(logic.FromClient(&s.list))
	s.core.Step(logic.FromClient(&s.closed))
	s.core.Flush()
}

// check tells whether all logins went as they should.
func (s *script) check(tb testing.TB) {
	tb.Helper()
	if got := s.core.Stats().Messages[codec.KindWorldList]; got != uint64(s.n) {
		tb.Fatalf("%d lists asked for in %d logins", got, s.n)
	}
}

// copier takes effects as the bus does: it copies them, and sends nothing.
type copier struct {
	pending []worlds.Announcement
	total   int
}

func (c *copier) Submit(effects []worlds.Effect) {
	for i := range effects {
		if a := effects[i].Announce; a != nil {
			c.pending = append(c.pending, *a)
			c.total++
		}
	}
	if len(c.pending) >= 256 { // a message's worth
		c.pending = c.pending[:0]
	}
}

// Budget: 0 allocations for a login in the logic, its announcement to the
// directory included.
func TestBudget_LoginOnTheBus_AllocatesNothing(t *testing.T) {
	bus := &copier{}
	s := newScript(t, bus)
	allocs(t, "a login with the bus on", 0, s.login)
	s.check(t)
	if bus.total < int(s.n) {
		t.Errorf("%d announcements of %d logins", bus.total, s.n)
	}
}

// BenchmarkRegion has one benchmark a stage of what a region adds to a login, and
// of a key's move, each without a network.
func BenchmarkRegion(b *testing.B) {
	b.Run("stage=announce", benchAnnounce)
	b.Run("stage=list", benchList)
	b.Run("stage=directory", benchDirectory)
	b.Run("stage=claim", benchClaim)
}

// benchAnnounce is BenchmarkStage's logic with a bus that takes announcements, and
// the same without: the difference is the bus's.
func benchAnnounce(b *testing.B) {
	for name, bus := range map[string]logic.Bus{"off": nil, "on": &copier{}} {
		b.Run("bus="+name, func(b *testing.B) {
			s := newScript(b, bus)
			b.ReportAllocs()
			for b.Loop() {
				s.login()
			}
			s.check(b)
			perLogin(b, 1)
		})
	}
}

// benchList asks for the list of 20 worlds, as one who has characters in three of
// them and as one who has none.
func benchList(b *testing.B) {
	list := worlds.NewList(worlds.EncodeGrunt)
	var all []worlds.World
	for id := range uint8(20) {
		all = append(all, worlds.World{ID: id + 1, Name: fmt.Sprint("World ", id), Address: "127.0.0.1:8085", Kind: worlds.KindPvP, Category: 1})
	}
	if err := list.SetStatic(all); err != nil {
		b.Fatal(err)
	}
	for name, characters := range map[string][]worlds.WorldCharacters{"0": nil, "3": {{World: 2, Count: 1}, {World: 7, Count: 9}, {World: 20, Count: 3}}} {
		b.Run("worlds-with-characters="+name, func(b *testing.B) {
			ask := worlds.Ask{Build: uint16(grunt.Build1121), Peer: netip.MustParseAddr("192.0.2.1"), Characters: characters}
			b.ReportAllocs()
			for b.Loop() {
				if frame, err := list.FrameFor(ask); err != nil || len(frame) < 20*30 {
					b.Fatal(len(frame), err)
				}
			}
		})
	}
}

// benchDirectory announces a login and then is asked for it, among 100,000 others.
func benchDirectory(b *testing.B) {
	const others = 100_000
	d := worlds.NewDirectory(worlds.DirectoryOptions{})
	login, world := worlds.LoginNode("a"), worlds.WorldNode(1)
	name := func(i int) (n codec.Name) {
		copy(n[:], fmt.Sprintf("P%08d", i))
		return n
	}
	for i := range others {
		d.Announce(login, 1, &worlds.Announcement{Account: name(i), Stamp: 1, Kind: worlds.AnnounceFresh})
	}
	d.Effects()
	a := worlds.Announcement{Account: name(others / 2), Stamp: 1, Kind: worlds.AnnounceHeld}
	l := worlds.Locate{Account: a.Account, Tag: 7, Wait: true}
	b.ReportAllocs()
	for b.Loop() {
		d.Announce(login, 1, &a)
		d.Locate(world, &l, 1)
		if e := d.Effects(); len(e) != 1 || e[0].Place == nil || e[0].Place.Holder != login {
			b.Fatal(e)
		}
	}
}

// benchClaim moves one key to and fro between two nodes, all five messages of each
// move.
func benchClaim(b *testing.B) {
	nodes := [2]worlds.Node{worlds.LoginNode("a"), worlds.LoginNode("b")}
	var sides [2]*worlds.Passes[int]
	for i := range sides {
		sides[i] = worlds.NewPasses(worlds.PassOptions[int]{
			Self: nodes[i], Incarnation: uint64(i + 1),
			Verify: func(h *worlds.Held[int], p *worlds.Proof) bool { return h.Key() != nil && p.Digest[0] == 1 },
			Gives:  func(worlds.Node) bool { return true },
		})
	}
	account, _ := codec.NameOf("PLAYER")
	key := worlds.NewSecret(make([]byte, 40))
	sides[0].Tick(1)
	sides[1].Tick(1)
	sides[0].Hold(account, 1, &key)
	proof := worlds.Proof{Digest: [20]byte{1}}
	var pass worlds.PassID
	began, now, n := time.Now(), int64(1), uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		if n++; n%batch == 0 {
			now += 100
			sides[0].Tick(now)
			sides[1].Tick(now)
		}
		pass[0], pass[1], pass[2], pass[3] = byte(n), byte(n>>8), byte(n>>16), byte(n>>24)
		h, t := (n+1)%2, n%2
		if err := sides[t].Claim(pass, account, nodes[h], &proof); err != nil {
			b.Fatal(err)
		}
		for busy := true; busy; {
			busy = false
			for i := range sides {
				for _, m := range sides[i].Outgoing() {
					sides[1-i].Handle(nodes[i], &m.Move)
					busy = true
				}
			}
		}
		if out := sides[t].Outcomes(); len(out) != 1 || out[0].Kind != worlds.OutcomeTaken {
			b.Fatal(out)
		}
		sides[h].Outcomes()
	}
	b.ReportMetric(float64(n)/time.Since(began).Seconds(), "moves/s")
}
