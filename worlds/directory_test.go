package worlds

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"gatepass/codec"
)

// TestDirectory_Scenarios plays testdata/directory, one file a scenario. Each
// command prints what nodes are told because of it.
func TestDirectory_Scenarios(t *testing.T) {
	datadriven.Walk(t, "testdata/directory", func(t *testing.T, path string) {
		s := &directoryScript{d: NewDirectory(DirectoryOptions{})}
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

type directoryScript struct {
	d   *Directory
	now int64
	out strings.Builder
}

func (s *directoryScript) run(a args) {
	switch a.d.Cmd {
	case "new":
		o := DirectoryOptions{MaxWaiting: int(a.number("waiting")), MaxEntries: int(a.number("entries"))}
		if a.text("second") == "refuse" {
			o.SecondLogin = SecondLoginRefuse
		}
		s.d = NewDirectory(o)
	case "fresh", "moved", "held", "gone":
		kinds := map[string]AnnouncementKind{"fresh": AnnounceFresh, "moved": AnnounceMoved, "held": AnnounceHeld, "gone": AnnounceGone}
		s.d.Announce(Node(a.text("from")), max(1, a.number("incarnation")), &Announcement{
			Account: a.name("account"), Stamp: Stamp(a.number("stamp")), Hop: uint32(a.number("hop")), Kind: kinds[a.d.Cmd],
		})
	case "locate":
		s.d.Locate(Node(a.text("from")), &Locate{Account: a.name("account"), Tag: a.number("tag"), Wait: a.d.HasArg("wait")}, s.now)
	case "end":
		s.d.End(&AccountEnd{Account: a.name("account"), Why: "ban"})
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

// nthName is the name of the account of a number.
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

// A session costs at most 100 bytes here: of the region's 200 the other half is
// for what moves keys.
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

// The end of a node with very many keys is noticed at once and swept later, in
// steps; what it leaves is used again.
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

// However often nodes start anew, their lives' numbers are used again, and one
// whose former lives all still have keys is refused and counted, not mixed up.
func TestDirectory_Lives_AreBounded(t *testing.T) {
	d := NewDirectory(DirectoryOptions{})
	for i := range 70_000 {
		d.Announce("world.1", uint64(i+1), &Announcement{Account: nthName(i), Stamp: 1})
	}
	if s := d.Stats(); s.Full == 0 || s.Entries != 1 {
		t.Errorf("%+v", s)
	}
	for d.lives.left > 0 {
		d.Tick(0)
	}
	d.Announce("world.1", 1_000_000, &Announcement{Account: nthName(1), Stamp: 1})
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

func BenchmarkDirectory_Announce(b *testing.B) {
	for _, kind := range []string{"fresh", "moved"} {
		b.Run("kind="+kind, func(b *testing.B) {
			const n = 200_000
			d := NewDirectory(DirectoryOptions{})
			fill(d, n)
			nodes := [2]Node{"login.0", "world.1"}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				a := Announcement{Account: nthName(i % n), Stamp: Stamp(n + i), Kind: AnnounceFresh}
				if kind == "moved" {
					a.Stamp, a.Hop, a.Kind = Stamp(i%n+1), uint32(i), AnnounceMoved
				}
				d.Announce(nodes[i&1], 1, &a)
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
