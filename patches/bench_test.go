package patches

import (
	"fmt"
	"testing"

	"gatepass/codec"
)

// largestCatalogue returns a catalogue at all limits, with as many different entries as
// possible.
func largestCatalogue(t testing.TB) (Catalogue, []Entry) {
	t.Helper()
	var c Catalogue
	scope := func(i int) Scope {
		s := Scope{Protocol: codec.ProtocolGrunt}
		if n := i % (maxPlatforms + 1); n > 0 {
			s.Platform = fmt.Sprintf("Win-%d", n)
		}
		if n := i % (maxLocales + 1); n > 0 {
			s.Locale = fmt.Sprintf("l%d", n)
		}
		return s
	}
	for i := range maxMarks {
		c.Marks = append(c.Marks, Mark{scope(i), uint16(i + 1), Status(i%4) + StatusCurrent})
	}
	for i := range maxPatches {
		c.Patches = append(c.Patches, madeUp(Patch{From: uint16(i + 1), To: uint16(i + 2)}, uint64(i+1)))
	}
	for i := range maxKnown {
		c.Known = append(c.Known, Known{Build: uint16(i + 1001), Platform: scope(i).Platform, HMAC: [20]byte{byte(i), byte(i >> 8)}})
	}
	must(t, c.validate())
	entries := make([]Entry, len(c.Patches))
	for i := range c.Patches {
		entries[i] = Entry{Patch: c.Patches[i], File: newFile(&c.Patches[i], nil, stamp{})}
	}
	return c, entries
}

// A Set is made in the watcher's goroutine, while the server runs. At the limits, making it
// must take little time and memory.
func BenchmarkMakeSet_AtTheLimits(b *testing.B) {
	c, entries := largestCatalogue(b)
	b.ReportAllocs()
	for b.Loop() {
		if s := makeSet(&c, entries, Defaults{}); len(s.answers) == 0 {
			b.Fatal("no answers")
		}
	}
}
