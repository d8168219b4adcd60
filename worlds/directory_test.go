package worlds

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"pgregory.net/rapid"

	"gatepass/codec"
)

// TestDirectory_Scenarios runs testdata/directory, one file per scenario. Each command
// prints the messages to nodes that it causes.
func TestDirectory_Scenarios(t *testing.T) {
	datadriven.Walk(t, "testdata/directory", func(t *testing.T, path string) {
		s := &directoryScript{}
		s.d = s.directoryOf(DirectoryOptions{}, false)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.out.Reset()
			s.run(args{t, d})
			s.drain()
			if s.out.Len() == 0 {
				return "nothing\n"
			}
			return s.out.String()
		})
	})
}

// grownDirectory returns a directory whose start is over.
func grownDirectory(o DirectoryOptions) *Directory {
	d := NewDirectory(o)
	d.Tick(-d.options.WaitLimit.Milliseconds() - 1)
	return d
}

type directoryScript struct {
	d         *Directory
	now       int64
	out       strings.Builder
	strangers map[Node]bool // worlds that are not registered
}

// directoryOf returns a directory whose start is over, or a young one. It accepts the
// vouchers of the tests.
func (s *directoryScript) directoryOf(o DirectoryOptions, young bool) *Directory {
	s.strangers = make(map[Node]bool)
	o.Vouchers, o.Registered = testVouchers(), func(world Node) bool { return !s.strangers[world] }
	if young {
		return NewDirectory(o)
	}
	return grownDirectory(o)
}

// vouched adds the correct voucher of a login server to a world's announcement.
func vouched(from Node, a Announcement) Announcement {
	if from.Kind() == KindWorld {
		a.Voucher = testVouchers().Make(VoucherClaimed, from, a.Account, Stay{Stamp: a.Stamp, Hop: a.Hop})
	}
	return a
}

func (s *directoryScript) run(a args) {
	switch a.d.Cmd {
	case "new":
		o := DirectoryOptions{MaxWaiting: int(a.number("waiting")), MaxEntries: int(a.number("entries")), MaxOfWorld: int(a.number("of-world"))}
		if a.text("second") == "refuse" {
			o.SecondLogin = SecondLoginRefuse
		}
		s.d = s.directoryOf(o, a.d.HasArg("young"))
	case "fresh", "moved", "held", "gone", "renewed":
		kinds := map[string]AnnouncementKind{"fresh": AnnounceFresh, "moved": AnnounceMoved, "held": AnnounceHeld, "gone": AnnounceGone, "renewed": AnnounceRenewed}
		said, from := Announcement{
			Account: a.name("account"), Stamp: Stamp(a.number("stamp")), Hop: uint32(a.number("hop")), Kind: kinds[a.d.Cmd],
		}, Node(a.text("from"))
		if !a.d.HasArg("unvouched") {
			said = vouched(from, said)
		}
		s.d.Announce(from, max(1, a.number("incarnation")), &said)
	case "leave", "register":
		s.strangers[Node(a.text("world"))] = a.d.Cmd == "leave"
	case "locate":
		s.d.Locate(Node(a.text("from")), &Locate{Account: a.name("account"), Tag: a.number("tag"), Wait: a.d.HasArg("wait")}, s.now)
	case "end":
		s.d.End(&AccountEnd{Account: a.name("account"), Why: "ban"})
	case "hello":
		s.d.Hello(Node(a.text("from")), max(1, a.number("incarnation")))
	case "node-gone":
		s.d.NodeGone(Node(a.text("node")))
	case "tick":
		s.now = int64(a.number("to"))
		s.d.Tick(s.now)
	case "stats":
		fmt.Fprintf(&s.out, "%+v\n", s.d.Stats())
	default:
		a.d.Fatalf(a.tb, "no such command")
	}
}

func (s *directoryScript) drain() {
	for _, e := range s.d.Effects() {
		switch {
		case e.End != nil:
			fmt.Fprintf(&s.out, "%s: end %s stamp %d, %s\n", e.To, nameText(e.End.Account), e.End.Stamp, e.End.Why)
		case e.Place.Holder == "":
			fmt.Fprintf(&s.out, "%s: tag %d, %s is not known\n", e.To, e.Place.Tag, nameText(e.Place.Account))
		default:
			fmt.Fprintf(&s.out, "%s: tag %d, %s is at %s, stamp %d hop %d\n",
				e.To, e.Place.Tag, nameText(e.Place.Account), e.Place.Holder, e.Place.Stamp, e.Place.Hop)
		}
	}
}

func nameText(n codec.Name) string { return string(n[:n.Len()]) }

// nthName returns the name of account number i.
func nthName(i int) (n codec.Name) {
	strconv.AppendInt(n[:0], int64(i)+1_000_000, 10)
	return n
}

func TestDirectory_Options_DefaultsAreThoseOfTheDesign(t *testing.T) {
	d := NewDirectory(DirectoryOptions{})
	if d.options.WaitLimit != 3*time.Second || d.options.SecondLogin != SecondLoginReplace {
		t.Errorf("%+v", d.options)
	}
}

// A session costs at most 100 bytes here. The budget in the region is 200 bytes; the
// other half is for the machines that move keys.
func TestDirectory_Budget_BytesAnEntry(t *testing.T) {
	const entries, budget = 200_000, 100
	before := heap()
	d := NewDirectory(DirectoryOptions{})
	fill(d, entries)
	each := float64(heap()-before) / entries
	t.Logf("%.1f bytes an entry", each)
	if each > budget {
		t.Errorf("%.1f bytes an entry, more than %d", each, budget)
	}
	if n := d.Stats().Entries; n != entries {
		t.Errorf("%d entries", n)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// fill announces fresh logins, at 16 login servers.
func fill(d *Directory, n int) {
	for i := range n {
		d.Announce(Node("login."+strconv.Itoa(i%16)), 1, &Announcement{Account: nthName(i), Stamp: Stamp(i + 1), Kind: AnnounceFresh})
	}
	d.Effects()
}

// After any announcements, losses and ends, the counts match the entries, an account's
// place is a node that announced it in its present life, and every request gets one
// answer.
func TestDirectory_Property_Invariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &directoryModel{d: NewDirectory(DirectoryOptions{MaxWaiting: 5, Vouchers: testVouchers()}), said: make(map[string]bool), life: make(map[Node]uint64), asks: make(map[uint64]bool)}
		m.d.options.SecondLogin = SecondLogin(rapid.IntRange(0, 1).Draw(t, "rule"))
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			m.step(t)
			m.check(t)
		}
		m.now += 3000
		m.d.Tick(m.now)
		m.check(t)
		if m.d.waiting.len() != 0 || len(m.d.waiting.asks) != 0 || len(m.asks) != 0 {
			t.Fatalf("left without an answer: %v", m.asks)
		}
	})
}

// directoryModel records the messages to a Directory.
type directoryModel struct {
	d    *Directory
	now  int64
	tags uint64
	// said are the announced places, with the life of the node.
	said map[string]bool
	life map[Node]uint64
	asks map[uint64]bool // without an answer yet
}

func (m *directoryModel) place(account codec.Name, n Node, stamp Stamp, hop uint32) string {
	return fmt.Sprint(account, n, m.life[n], stamp, hop)
}

func (m *directoryModel) step(t *rapid.T) {
	m.now += rapid.Int64Range(0, 1000).Draw(t, "time")
	node := rapid.SampledFrom([]Node{"login.a", "login.b", "world.1", "world.2"}).Draw(t, "node")
	name := nthName(rapid.IntRange(0, 5).Draw(t, "account"))
	switch rapid.IntRange(0, 12).Draw(t, "what") {
	case 0:
		m.life[node]++ // restarts; its next message shows it
	case 1:
		m.d.NodeGone(node)
	case 2:
		m.d.End(&AccountEnd{Account: name})
	case 3:
		m.d.Tick(m.now)
	case 12:
		m.d.Hello(node, m.life[node])
	case 4, 5:
		m.tags++
		m.asks[m.tags] = true
		m.d.Locate(node, &Locate{Account: name, Tag: m.tags, Wait: rapid.Bool().Draw(t, "wait")}, m.now)
	default:
		a := Announcement{
			Account: name, Stamp: Stamp(rapid.IntRange(1, 3).Draw(t, "stamp")),
			Hop: uint32(rapid.IntRange(0, 3).Draw(t, "hop")), Kind: AnnouncementKind(rapid.IntRange(0, 4).Draw(t, "kind")),
		}
		if rapid.Bool().Draw(t, "vouched") {
			a = vouched(node, a)
		}
		if node.Kind() == KindLogin || a.Voucher != (Voucher{}) {
			m.said[m.place(name, node, a.Stamp, a.Hop)] = true
		}
		m.d.Announce(node, m.life[node], &a)
	}
}

func (m *directoryModel) check(t *rapid.T) {
	for _, e := range m.d.Effects() {
		if e.Place != nil {
			if !m.asks[e.Place.Tag] {
				t.Fatalf("answered %d twice", e.Place.Tag)
			}
			delete(m.asks, e.Place.Tag)
		}
	}
	s, all := m.d.Stats(), 0
	for _, n := range s.ByNode {
		all += n
	}
	if all != s.Entries || s.Parked != len(m.asks) {
		t.Fatalf("%+v, %d asks are open", s, len(m.asks))
	}
	for i := range 6 {
		if p, ok := m.d.Find(nthName(i)); ok && !m.announced(p) {
			t.Fatalf("%+v was never announced", p)
		}
	}
}

// announced reports whether p was announced in the life that the directory knows.
func (m *directoryModel) announced(p Place) bool {
	incarnation := m.d.lives.all[m.d.lives.nodes[p.Holder].current].incarnation
	return m.said[fmt.Sprint(p.Account, p.Holder, incarnation, p.Stamp, p.Hop)]
}

// The end of a node with many keys has an effect at once. Its slots are swept later in
// steps, and are reused.
func TestDirectory_NodeGone_SweepsInSteps(t *testing.T) {
	const keys = 50_000
	d := NewDirectory(DirectoryOptions{})
	for round := range 3 {
		fill(d, keys)
		for i := range 16 {
			d.NodeGone(Node("login." + strconv.Itoa(i)))
		}
		if s := d.Stats(); s.Entries != 0 || len(s.ByNode) != 0 {
			t.Fatalf("round %d: %+v", round, s)
		}
		if _, ok := d.Find(nthName(7)); ok {
			t.Fatal("a gone node's key is found")
		}
		steps := 0
		for d.slots.len() > 0 {
			before := d.slots.len()
			d.Tick(0)
			if before-d.slots.len() > sweepSlots {
				t.Fatalf("%d swept in one step", before-d.slots.len())
			}
			if steps++; steps > 2*keys/sweepSlots {
				t.Fatal("the sweep does not end")
			}
		}
	}
	if n := len(d.slots.chunks) * chunkSlots; n > keys+chunkSlots {
		t.Errorf("%d slots for %d keys: they are not used again", n, keys)
	}
	if n := len(d.lives.all) - 1; n > 16 {
		t.Errorf("%d numbers for 16 lives at a time", n)
	}
}

// However often nodes restart, the numbers of their lives are reused. A node whose
// former lives all still have keys is refused and counted; entries never get mixed up.
func TestDirectory_Lives_AreBounded(t *testing.T) {
	d := NewDirectory(DirectoryOptions{Vouchers: testVouchers()})
	held := func(i int) *Announcement {
		a := vouched("world.1", Announcement{Account: nthName(i), Stamp: 1, Kind: AnnounceHeld})
		return &a
	}
	for i := range 70_000 {
		d.Announce("world.1", uint64(i+1), held(i))
	}
	if s := d.Stats(); s.Full == 0 || s.Entries != 1 {
		t.Errorf("%+v", s)
	}
	for d.lives.left > 0 {
		d.Tick(0)
	}
	d.Announce("world.1", 1_000_000, held(1))
	if p, ok := d.Find(nthName(1)); !ok || p.Holder != "world.1" {
		t.Errorf("%+v, %v", p, ok)
	}
	for i := range maxNodes + 1 {
		d.Announce(LoginNode(strconv.Itoa(i)), 1, &Announcement{Account: nthName(i), Stamp: 2})
	}
	if n := len(d.Stats().ByNode); n != maxNodes {
		t.Errorf("%d nodes", n)
	}
}

func TestDirectory_Locate_AFloodOfOneAccountIsBounded(t *testing.T) {
	d := NewDirectory(DirectoryOptions{})
	for i := range maxAsks + 3 {
		d.Locate("world.1", &Locate{Account: nthName(1), Tag: uint64(i), Wait: true}, 0)
	}
	if got := d.Stats(); got.Parked != maxAsks || got.Unknown != 3 || len(d.Effects()) != 3 {
		t.Errorf("%+v", got)
	}
}

func TestDirectory_Locate_OneNodeLeavesRoomForOthers(t *testing.T) {
	d := grownDirectory(DirectoryOptions{})
	for i := range 2 * d.options.MaxWaiting {
		d.Locate("world.9", &Locate{Account: nthName(i), Tag: 1, Wait: true}, 0)
	}
	if got := d.Stats().Parked; got != maxAsksOfNode {
		t.Errorf("%d asks of one node wait, want %d", got, maxAsksOfNode)
	}
	d.Effects()
	d.Locate("world.7", &Locate{Account: nthName(-1), Tag: 2, Wait: true}, 0)
	if e := d.Effects(); len(e) != 0 {
		t.Errorf("another node is told at once: %+v", e)
	}
	d.Tick(d.options.WaitLimit.Milliseconds())
	if n := len(d.waiting.byNode); n != 0 || d.Stats().Parked != 0 {
		t.Errorf("%d nodes are counted when nobody waits", n)
	}
}

func BenchmarkDirectory_Announce(b *testing.B) {
	for _, kind := range []string{"fresh", "moved"} {
		b.Run("kind="+kind, func(b *testing.B) {
			const n = 200_000
			d := NewDirectory(DirectoryOptions{Vouchers: testVouchers()})
			fill(d, n)
			nodes := map[string][2]Node{"fresh": {"login.16", "login.17"}, "moved": {"login.16", "world.1"}}[kind]
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				a := Announcement{Account: nthName(i % n), Stamp: Stamp(n + i), Kind: AnnounceFresh}
				if kind == "moved" {
					a.Stamp, a.Hop, a.Kind = Stamp(i%n+1), uint32(i/n+1), AnnounceMoved
					a = vouched(nodes[i/n&1], a)
				}
				d.Announce(nodes[i/n&1], 1, &a)
				if e := d.Effects(); (len(e) == 1) != (kind == "fresh") {
					b.Fatal(e)
				}
			}
		})
	}
}

func BenchmarkDirectory_Locate(b *testing.B) {
	const n = 200_000
	d := NewDirectory(DirectoryOptions{})
	fill(d, n)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		d.Locate("world.1", &Locate{Account: nthName(i % n), Wait: true}, 0)
		if e := d.Effects(); len(e) != 1 || e[0].Place.Holder == "" {
			b.Fatal(e)
		}
	}
}

func TestEnded_IsBounded(t *testing.T) {
	e := newEnded()
	for i := range maxEnded + 1 {
		e.add(nthName(i), 0)
	}
	if n := len(e.order); n > maxEnded || len(e.until) > n {
		t.Errorf("%d are remembered, in %d places", len(e.until), n)
	}
	if !e.has(nthName(maxEnded), 2) || !e.has(nthName(1), 2) || e.has(nthName(0), 2) {
		t.Error("it was not the oldest that gave way")
	}
	e.add(nthName(1), endedFor+1)
	if len(e.order) != 1 || len(e.until) != 1 {
		t.Errorf("%d are remembered when their time is over", len(e.until))
	}
}
