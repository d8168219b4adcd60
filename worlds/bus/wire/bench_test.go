package wire

import (
	"fmt"
	"testing"

	"gatepass/worlds"
)

// manyAnnouncements are of different accounts.
func manyAnnouncements(n int) []worlds.Announcement {
	all := make([]worlds.Announcement, n)
	for i := range all {
		copy(all[i].Account[:], fmt.Sprintf("PLAYER%06d", i))
		all[i].Stamp = worlds.NewStamp(1764000000000+int64(i), uint32(i))
	}
	return all
}

func BenchmarkAppendAnnounce(b *testing.B) {
	all := manyAnnouncements(AnnounceBatch)
	buf := AppendAnnounce(nil, 1, all)
	size := len(buf)
	b.ReportAllocs()
	for b.Loop() {
		if buf = AppendAnnounce(buf[:0], 1, all); len(buf) != size {
			b.Fatal(len(buf))
		}
	}
	perEntry(b, AnnounceBatch)
}

func BenchmarkDecodeAnnounce(b *testing.B) {
	buf := AppendAnnounce(nil, 1, manyAnnouncements(AnnounceBatch))
	var into []worlds.Announcement
	var err error
	b.ReportAllocs()
	for b.Loop() {
		if _, into, err = DecodeAnnounce(buf, into[:0]); err != nil || len(into) != AnnounceBatch {
			b.Fatal(len(into), err)
		}
	}
	perEntry(b, AnnounceBatch)
}

func perEntry(b *testing.B, n int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/entry")
}

// BenchmarkMove is one move message, both ways.
func BenchmarkMove(b *testing.B) {
	moves := sampleMoves()
	var buf []byte
	var err error
	b.ReportAllocs()
	for b.Loop() {
		if buf, err = AppendMove(buf[:0], &moves[0]); err != nil {
			b.Fatal(err)
		}
		if _, err = DecodeMove(buf); err != nil {
			b.Fatal(err)
		}
	}
}

func TestAnnounce_AllocatesNothingPerEntry(t *testing.T) {
	all := manyAnnouncements(AnnounceBatch)
	buf := AppendAnnounce(nil, 1, all)
	into := make([]worlds.Announcement, 0, AnnounceBatch)
	if n := testing.AllocsPerRun(100, func() {
		buf = AppendAnnounce(buf[:0], 1, all)
		if _, got, err := DecodeAnnounce(buf, into); err != nil || len(got) != AnnounceBatch {
			t.Error(len(got), err)
		}
	}); n > 1 { // the scanner
		t.Errorf("%v allocations", n)
	}
}
