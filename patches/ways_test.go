package patches

import (
	"testing"

	"pgregory.net/rapid"

	"gatepass/codec"
)

// best returns the result of an exhaustive search: all paths without a cycle from a build, of
// which only the last build may be allowed to log in.
// build, of which only the last one may be let in.
func best(s *script, from uint16, ends func(Status) bool, been map[uint16]bool) (bytes uint64, steps int, found bool) {
	been[from] = true
	defer delete(been, from)
	for _, p := range s.catalogue.Patches {
		if p.From != from || been[p.To] || s.missing[p.ID] {
			continue
		}
		b, n, ok := uint64(0), 0, true
		switch status, _ := s.set.Explain(client(codec.ProtocolGrunt, p.To, "", "")); {
		case ends(status):
		case status == StatusUpdate:
			b, n, ok = best(s, p.To, ends, been)
		default:
			ok = false
		}
		if b, n = b+p.Size, n+1; ok && (!found || b < bytes || b == bytes && n < steps) {
			bytes, steps, found = b, n, true
		}
	}
	return bytes, steps, found
}

func TestSet_ShortestWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &script{missing: map[string]bool{}}
		build := rapid.Uint16Range(1, 7)
		for range rapid.IntRange(0, 16).Draw(t, "patches") {
			p := madeUp(grunt(build.Draw(t, "from"), build.Draw(t, "to")), rapid.Uint64Range(1, 4).Draw(t, "size"))
			if s.catalogue.Add(p) == nil {
				s.missing[p.ID] = rapid.IntRange(0, 5).Draw(t, "missing") == 0
			}
		}
		for range rapid.IntRange(0, 5).Draw(t, "marks") {
			m := Mark{Scope{}, build.Draw(t, "build"), Status(rapid.IntRange(1, 4).Draw(t, "status"))}
			if err := s.catalogue.Mark(m); err != nil {
				t.Fatal(err)
			}
		}
		s.set = makeSet(&s.catalogue, s.entries(), Defaults{})
		for from := uint16(1); from <= 7; from++ {
			compareWay(t, s, from)
		}
	})
}

func compareWay(t *rapid.T, s *script, from uint16) {
	c := client(codec.ProtocolGrunt, from, "", "")
	v := s.set.Judge(c)
	if status, _ := s.set.Explain(c); status != StatusUpdate {
		if v.Update != nil || v.Allowed != status.letsIn() {
			t.Fatalf("%s build %d: %+v", status, from, v)
		}
		return
	}
	bytes, steps, found := best(s, from, func(s Status) bool { return s == StatusCurrent }, map[uint16]bool{})
	if !found {
		bytes, steps, found = best(s, from, Status.letsIn, map[uint16]bool{})
	}
	if found != (v.Update != nil) || v.Total != bytes || v.Steps != steps || v.Allowed {
		t.Fatalf("from %d: got %d bytes in %d steps, want %d in %d", from, v.Total, v.Steps, bytes, steps)
	}
	if !found || steps == 1 {
		return
	}
	// A client that has taken the first step gets the rest of the same path.
	rest := s.set.Judge(client(codec.ProtocolGrunt, v.Update.To, "", ""))
	if rest.Steps != steps-1 || rest.Total != bytes-v.Update.Size {
		t.Fatalf("from %d: after %s %d bytes in %d steps are left of %d in %d", from, v.Update.ID, rest.Total, rest.Steps, bytes, steps)
	}
}

// busySet returns a Set with many kinds of clients.
func busySet(t testing.TB) *Set {
	s := &script{defaults: Defaults{Grunt: []uint16{5875, 8606, 12340}}}
	for _, locale := range []string{"", "enUS", "deDE", "frFR", "ruRU"} {
		for from := uint16(1); from < 20; from++ {
			p := grunt(from, from+1)
			p.Locale = locale
			must(t, s.catalogue.Add(madeUp(p, 1<<20)))
		}
	}
	must(t, s.catalogue.Mark(Mark{Scope{Platform: "Win-x86"}, 20, StatusCurrent}))
	must(t, s.catalogue.SetKnown(Known{Build: 8606, Platform: "Win-x86"}))
	return makeSet(&s.catalogue, s.entries(), s.defaults)
}

func TestSet_JudgeAllocatesNothing(t *testing.T) {
	set := busySet(t)
	for _, build := range []uint16{5875, 8606, 1, 4} {
		c := client(codec.ProtocolGrunt, build, "Win-x86", "deDE")
		if n := testing.AllocsPerRun(100, func() { set.Judge(c) }); n != 0 {
			t.Errorf("build %d: %v allocations", build, n)
		}
	}
}

func TestSet_NilKnowsNothing(t *testing.T) {
	var s *Set
	if v := s.Judge(client(codec.ProtocolNative, 1, "", "")); v.Allowed || v.Update != nil || s.Files() != nil {
		t.Errorf("%+v", v)
	}
}

func BenchmarkSet_Judge(b *testing.B) {
	set := busySet(b)
	for name, build := range map[string]uint16{"allowed": 5875, "update": 3, "refused": 40000} {
		c := client(codec.ProtocolGrunt, build, "Win-x86", "deDE")
		b.Run("verdict="+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if v := set.Judge(c); v.Allowed != (name == "allowed") {
					b.Fatal(v)
				}
			}
		})
	}
}

func BenchmarkMakeSet(b *testing.B) {
	set := busySet(b)
	for b.Loop() {
		if s := makeSet(&set.catalogue, set.entries, Defaults{}); len(s.answers) == 0 {
			b.Fatal("no answers")
		}
	}
}
