package worlds

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"pgregory.net/rapid"
)

// TestMember_Scenarios runs testdata/member, one file per scenario. Each command prints
// the caller's needs and the copy after it.
func TestMember_Scenarios(t *testing.T) {
	datadriven.Walk(t, "testdata/member", func(t *testing.T, path string) {
		list := NewList(EncodeGrunt)
		s := &memberScript{list: list, m: NewMember(list, MemberOptions{})}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.out.Reset()
			s.run(args{t, d})
			return s.out.String()
		})
	})
}

type memberScript struct {
	m    *Member
	list *List
	now  int64
	out  strings.Builder
	// snapshot collects the worlds of the next snapshot.
	snapshot []Entry
}

func (s *memberScript) run(a args) {
	switch a.d.Cmd {
	case "static":
		r := a.registration()
		if err := s.list.SetStatic([]World{r.World}); err != nil {
			fmt.Fprintln(&s.out, err)
		}
	case "change":
		c := Change{Version: a.version(), Reset: a.d.HasArg("reset")}
		if a.d.HasArg("world") {
			c.Entry = s.entry(a)
		}
		s.needs(s.m.Change(&c, s.now))
	case "world":
		s.snapshot = append(s.snapshot, *s.entry(a))
		fmt.Fprintln(&s.out, "in the next snapshot")
		return
	case "snapshot":
		s.needs(s.m.Snapshot(&Snapshot{Version: a.version(), Entries: s.snapshot}, s.now))
		s.snapshot = nil
	case "pulse":
		s.needs(s.m.Pulse(&Pulse{a.version()}, s.now))
	case "tick": // to a time, in steps of 100 ms
		for to := int64(a.number("to")); s.now < to; {
			s.now = min(s.now+100, to)
			if n := s.m.Tick(s.now); n != (MemberNeeds{}) {
				fmt.Fprintf(&s.out, "%5d ", s.now)
				s.needs(n)
			}
		}
	case "stats":
		fmt.Fprintf(&s.out, "%+v\n", s.m.Stats())
		return
	default:
		a.d.Fatalf(a.tb, "no such command")
	}
	s.show()
}

func (s *memberScript) entry(a args) *Entry {
	return &Entry{Registration: a.registration(), Players: uint32(a.number("players")), Queue: uint32(a.number("queue")), Load: a.load()}
}

func (s *memberScript) needs(n MemberNeeds) {
	text := "do:"
	for _, need := range []struct {
		is   bool
		what string
	}{{n.NewEpoch, " announce"}, {n.AskSnapshot, " ask"}, {n.Changed, " push"}, {n.Figures, " push-later"}} {
		if need.is {
			text += need.what
		}
	}
	if text == "do:" {
		text = "do: nothing"
	}
	fmt.Fprintln(&s.out, text)
}

func (s *memberScript) show() {
	fmt.Fprintf(&s.out, "version %v", s.m.Version())
	if s.m.Stale() {
		s.out.WriteString(" stale")
	}
	s.out.WriteByte('\n')
	for _, w := range s.list.Worlds() {
		fmt.Fprintf(&s.out, "%d %q population %.2f", w.ID, w.Name, w.Population)
		for _, flag := range []struct {
			is   bool
			what string
		}{{w.Offline, " offline"}, {w.Locked, " locked"}, {w.Full, " full"}} {
			if flag.is {
				s.out.WriteString(flag.what)
			}
		}
		s.out.WriteByte('\n')
	}
}

func TestMember_Options_DefaultsAreThoseOfTheDesign(t *testing.T) {
	var o MemberOptions
	o.EnsureDefaults()
	if o.StaleAfter != 3*time.Second || o.AskEvery != 500*time.Millisecond {
		t.Errorf("%+v", o)
	}
}

// Whatever the bus loses, repeats or reorders, and however many managers come and go,
// the copy never goes back in version. One complete exchange makes it equal to the
// manager's list.
func TestMember_Property_ConvergesAndNeverGoesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRegion()
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			r.step(t)
			if v := r.member.Version(); v.less(r.seen) {
				t.Fatalf("went back from %v to %v", r.seen, v)
			} else {
				r.seen = v
			}
		}
		r.exchange()
		want := r.manager.Snapshot()
		if got := r.member.Entries(); !reflect.DeepEqual(got, want.Entries) || r.member.Version() != want.Version {
			t.Fatalf("member has %v %+v\nmanager has %v %+v", r.member.Version(), got, want.Version, want.Entries)
		}
		if n := r.member.Stats().Invalid; n != 0 {
			t.Fatalf("%d entries counted as invalid", n)
		}
	})
}

// region is a manager, a manager that it replaced, a member, and the bus between them.
type region struct {
	manager, fenced *Manager
	stored          map[uint8]Record
	member          *Member
	now             int64
	bus             []any // sent and not delivered: Change, Snapshot, Pulse
	seen            Version
}

func newRegion() *region {
	return &region{
		manager: NewManager(ManagerOptions{Epoch: 1}),
		stored:  make(map[uint8]Record),
		member:  NewMember(NewList(EncodeGrunt), MemberOptions{}),
	}
}

// step does one random action.
func (r *region) step(t *rapid.T) {
	m := r.manager
	if r.fenced != nil && rapid.IntRange(0, 3).Draw(t, "who") == 0 {
		m = r.fenced // it does not know of its replacement yet
	}
	r.now += rapid.Int64Range(0, 3000).Draw(t, "time")
	id := uint8(rapid.IntRange(1, 4).Draw(t, "world"))
	incarnation := uint64(rapid.IntRange(1, 2).Draw(t, "incarnation"))
	switch rapid.IntRange(0, 9).Draw(t, "what") {
	case 0, 1:
		reg := Registration{World: world(id, fmt.Sprint("World ", id)), Incarnation: incarnation, Capacity: 10}
		reg.Locked = rapid.Bool().Draw(t, "locked")
		_ = m.Register(WorldNode(id), &reg, r.now)
	case 2, 3:
		m.Beat(WorldNode(id), &Beat{Incarnation: incarnation, Population: uint32(rapid.IntRange(0, 12).Draw(t, "players"))}, r.now)
	case 4:
		m.Tick(r.now)
	case 5:
		r.bus = append(r.bus, Pulse{m.Version()})
	case 6:
		r.bus = append(r.bus, m.Snapshot())
	case 7:
		if rapid.IntRange(0, 4).Draw(t, "reset") == 0 {
			m.Reset()
		}
	case 8:
		r.takeOver()
	default:
		r.deliver(t)
	}
	r.drain(m)
}

// drain stores and sends, as the manager's goroutine does. A manager that does not lead
// cannot store.
func (r *region) drain(m *Manager) {
	for _, w := range m.Writes() {
		switch {
		case m != r.manager:
		case w.Reset:
			clear(r.stored)
		default:
			r.stored[w.World] = *w.Record
		}
	}
	for _, c := range m.Changes() {
		r.bus = append(r.bus, c)
	}
}

func (r *region) takeOver() {
	r.drain(r.manager)
	r.fenced = r.manager
	r.manager = NewManager(ManagerOptions{Epoch: r.fenced.Version().Epoch + 1})
	records := []Record{}
	for _, record := range r.stored {
		records = append(records, record)
	}
	r.manager.Restore(records, r.now)
}

// deliver delivers some of the queued messages in any order. It repeats some and loses
// some.
func (r *region) deliver(t *rapid.T) {
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 0))
	random.Shuffle(len(r.bus), func(i, j int) { r.bus[i], r.bus[j] = r.bus[j], r.bus[i] })
	var later []any
	for _, m := range r.bus {
		switch random.IntN(5) {
		case 0: // lost
		case 1:
			later = append(later, m)
		case 2:
			later = append(later, m)
			r.hand(m)
		default:
			r.hand(m)
		}
	}
	r.bus = later
}

func (r *region) hand(m any) MemberNeeds {
	switch m := m.(type) {
	case Change:
		return r.member.Change(&m, r.now)
	case Snapshot:
		return r.member.Snapshot(&m, r.now)
	case Pulse:
		return r.member.Pulse(&m, r.now)
	}
	panic("neither")
}

// exchange delivers a pulse, and a snapshot if the member asks for one.
func (r *region) exchange() {
	r.now += 500
	if r.hand(Pulse{r.manager.Version()}).AskSnapshot {
		r.hand(r.manager.Snapshot())
	}
}

// Invalid entries of a manager are not shown to clients, and the valid ones are.
func TestMember_Snapshot_KeepsWhatIsNotValidFromClients(t *testing.T) {
	list := NewList(EncodeGrunt)
	m := NewMember(list, MemberOptions{})
	entry := func(id uint8, name string) Entry {
		return Entry{Registration: Registration{World: world(id, name), Incarnation: 1, Capacity: 10}}
	}
	wide := entry(4, "Wide") // more networks than are left
	many := []Entry{entry(1, "A"), entry(1, "A again"), entry(0, "none"), entry(2, "\x00"), entry(3, "C"), wide}
	for i := range 9 {
		e := entry(uint8(10+i), fmt.Sprint("Routes ", i))
		for j := range maxRoutes {
			e.Routes = append(e.Routes, Route{Network: prefix("10.%d.%d.0/24", i, j), Address: "192.0.2.9:1"})
		}
		many = append(many, e)
	}
	m.Snapshot(&Snapshot{Version: Version{1, 1}, Entries: many}, 0)
	var shown []uint8
	for _, w := range list.Worlds() {
		shown = append(shown, w.ID)
	}
	if want := "[1 3 4 10 11 12 13 14 15 16 17]"; fmt.Sprint(shown) != want || m.Stats().Invalid != 4 {
		t.Errorf("shown %v, %+v", shown, m.Stats())
	}
}

// A change of only the queue can wait for the next refresh, like one of the population.
// Native clients see the queue, so it is shown.
func TestMember_Change_AQueueIsFigures(t *testing.T) {
	list := NewList(EncodeGrunt)
	m := NewMember(list, MemberOptions{})
	e := Entry{Registration: registration(), Players: 10, Queue: 1}
	m.Snapshot(&Snapshot{Version: Version{1, 1}, Entries: []Entry{e}}, 0)
	e.Queue = 2
	if n := m.Change(&Change{Version: Version{1, 2}, Entry: &e}, 0); !n.Figures || n.Changed || list.Find(e.ID).Queue != 2 {
		t.Errorf("%+v, %+v", n, list.Find(e.ID))
	}
	e.Native = "192.0.2.1:8086"
	if n := m.Change(&Change{Version: Version{1, 3}, Entry: &e}, 0); n.Figures || !n.Changed {
		t.Errorf("%+v", n)
	}
}
