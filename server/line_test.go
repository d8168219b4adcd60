package server

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A line returns requests in the order of their arrival, and frees its memory when empty.
func TestLine_FirstComeFirstServed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l line
		next, want := 0, 0
		for range rapid.IntRange(1, 20).Draw(t, "rounds") {
			for range rapid.IntRange(0, 3*lineKept).Draw(t, "in") {
				l.push(request{most: next})
				next++
			}
			for range rapid.IntRange(0, l.n).Draw(t, "out") {
				if q := l.pop(); q.most != want {
					t.Fatalf("got %d, want %d", q.most, want)
				}
				want++
			}
		}
		for l.n > 0 {
			if q := l.pop(); q.most != want {
				t.Fatalf("got %d, want %d", q.most, want)
			}
			want++
		}
		if want != next || len(l.ring) > lineKept {
			t.Fatalf("%d of %d came out, %d places are kept", want, next, len(l.ring))
		}
	})
}

func TestCalendar_FirstDueFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c calendar
		var want []int
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "pop") && len(c) > 0 {
				slices.Sort(want)
				if q := c.pop(); q.most != want[0] {
					t.Fatalf("got %d, want %d", q.most, want[0])
				}
				want = want[1:]
				continue
			}
			due := rapid.IntRange(0, 50).Draw(t, "due")
			c.push(postponed{request: request{most: due}, due: time.Duration(due)})
			want = append(want, due)
		}
		if len(c) != len(want) {
			t.Fatalf("%d are there, want %d", len(c), len(want))
		}
	})
}
