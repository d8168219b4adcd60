package worlds

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
)

// TestManager_Scenarios runs testdata/manager, one file per scenario. Each command
// prints the writes and changes that it causes. The writes go into a store as JSON,
// which the next manager restores.
func TestManager_Scenarios(t *testing.T) {
	datadriven.Walk(t, "testdata/manager", func(t *testing.T, path string) {
		s := &managerScript{stored: make(map[uint8][]byte)}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.out.Reset()
			s.run(args{t, d})
			if s.out.Len() == 0 {
				return "nothing\n"
			}
			return s.out.String()
		})
	})
}

type managerScript struct {
	m      *Manager
	now    int64
	stored map[uint8][]byte
	out    strings.Builder
}

func (s *managerScript) print(format string, a ...any) { fmt.Fprintf(&s.out, format+"\n", a...) }

func (s *managerScript) run(a args) {
	switch a.d.Cmd {
	case "lead":
		s.lead(a)
	case "register":
		r := a.registration()
		from := WorldNode(r.ID)
		if a.d.HasArg("from") {
			from = Node(a.text("from"))
		}
		if err := s.m.Register(from, &r, s.now); err != nil {
			s.print("refused: %v", err)
		}
	case "beat":
		s.beat(a)
	case "reset":
		s.m.Reset()
	case "tick": // to a time, in steps of half a second
		for to := int64(a.number("to")); s.now < to; {
			s.now = min(s.now+500, to)
			s.m.Tick(s.now)
			s.drain(a)
		}
	case "stall": // the manager is stopped until then
		s.now = int64(a.number("to"))
		s.m.Tick(s.now)
	case "show":
		snapshot := s.m.Snapshot()
		s.print("version %v, %+v", snapshot.Version, s.m.Stats())
		for i := range snapshot.Entries {
			s.print("%s", entryText(&snapshot.Entries[i]))
		}
	case "stored":
		for _, id := range s.ids() {
			s.print("%d %s", id, s.stored[id])
		}
	default:
		a.d.Fatalf(a.tb, "no such command")
	}
	s.drain(a)
}

func (s *managerScript) ids() (ids []uint8) {
	for id := range s.stored {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func (s *managerScript) lead(a args) {
	s.m = NewManager(ManagerOptions{Epoch: a.number("epoch")})
	var records []Record
	for _, id := range s.ids() {
		var r Record
		if err := json.Unmarshal(s.stored[id], &r); err != nil {
			a.d.Fatalf(a.tb, "%v", err)
		}
		records = append(records, r)
	}
	left := s.m.Restore(records, s.now)
	s.print("restored %d, left out %d", len(records)-left, left)
}

func (s *managerScript) beat(a args) {
	b := Beat{Incarnation: 1, Population: uint32(a.number("players")), Queue: uint32(a.number("queue")), Load: a.load(), Leaving: a.d.HasArg("leaving")}
	if a.d.HasArg("incarnation") {
		b.Incarnation = a.number("incarnation")
	}
	from := WorldNode(uint8(a.number("world")))
	if a.d.HasArg("from") {
		from = Node(a.text("from"))
	}
	if !s.m.Beat(from, &b, s.now) {
		s.print("unknown")
	}
}

// drain does what the manager's goroutine does: it stores, then sends.
func (s *managerScript) drain(a args) {
	for _, w := range s.m.Writes() {
		if w.Reset {
			clear(s.stored)
			s.print("%5d write reset", s.now)
			continue
		}
		b, err := json.Marshal(w.Record)
		if err != nil {
			a.d.Fatalf(a.tb, "%v", err)
		}
		s.stored[w.World] = b
		s.print("%5d write %d", s.now, w.World)
	}
	for _, node := range s.m.Silenced() {
		s.print("%5d silent %s", s.now, node)
	}
	for _, c := range s.m.Changes() {
		s.print("%5d %s", s.now, changeText(&c))
	}
}

func TestManager_Options_DefaultsAreThoseOfTheDesign(t *testing.T) {
	var o ManagerOptions
	o.EnsureDefaults()
	if o.HeartbeatEvery != 2*time.Second || o.Missed != 3 || o.RefreshEvery != 5*time.Second {
		t.Errorf("%+v", o)
	}
}

func TestManager_Beat_FiguresThatCannotBeAreASignOfLifeOnly(t *testing.T) {
	m := NewManager(ManagerOptions{Epoch: 1})
	r := Registration{World: world(1, "A"), Incarnation: 1, Capacity: 10}
	if err := m.Register(WorldNode(1), &r, 0); err != nil {
		t.Fatal(err)
	}
	m.Changes()
	for i, load := range []float32{float32(math.NaN()), -0.1, 1.1, float32(math.Inf(1))} {
		now := int64(i+1) * 5000
		if !m.Beat(WorldNode(1), &Beat{Incarnation: 1, Population: 5, Load: load}, now) {
			t.Errorf("load %v: not known", load)
		}
		m.Tick(now)
	}
	if c := m.Changes(); len(c) != 0 || m.Stats().BadBeats != 4 {
		t.Errorf("changes %v, %+v", c, m.Stats())
	}
}

// A leader that restores a damaged store lists the valid worlds.
func TestManager_Restore_LeavesOutWhatCannotStandBesideTheRest(t *testing.T) {
	record := func(id uint8, name string) Record {
		return Record{Registration{World: world(id, name), Incarnation: 1, Capacity: 10}}
	}
	m := NewManager(ManagerOptions{Epoch: 1})
	left := m.Restore([]Record{record(1, "A"), record(1, "B"), record(2, "a"), record(0, "C"), record(3, "D")}, 0)
	if got := m.Snapshot().Entries; left != 3 || len(got) != 2 || got[0].Name != "A" || got[1].ID != 3 {
		t.Errorf("left out %d, %v", left, got)
	}
}

func BenchmarkManager_Beat(b *testing.B) {
	m := NewManager(ManagerOptions{Epoch: 1})
	r := Registration{World: world(200, "A"), Incarnation: 1, Capacity: 10}
	if err := m.Register(WorldNode(200), &r, 0); err != nil {
		b.Fatal(err)
	}
	beat := Beat{Incarnation: 1}
	b.ReportAllocs()
	for b.Loop() {
		if !m.Beat("world.200", &beat, 1) {
			b.Fatal("unknown")
		}
	}
}
