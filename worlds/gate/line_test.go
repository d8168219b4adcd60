package gate

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"gatepass/codec"
)

func accountNumber(i int) codec.Name {
	name, _ := codec.NameOf(fmt.Sprintf("P%d", i))
	return name
}

// lineModel is a simple model of the queue: a list for each class.
type lineModel struct {
	classes [MaxClass + 1][]codec.Name
	away    map[codec.Name]bool
}

func (m *lineModel) remove(class Class, account codec.Name) {
	q := m.classes[class]
	i := slices.Index(q, account)
	m.classes[class] = slices.Delete(slices.Clone(q), i, i+1)
	delete(m.away, account)
}

// first returns the first present player of a class.
func (m *lineModel) first(class Class) (codec.Name, bool) {
	for _, a := range m.classes[class] {
		if !m.away[a] {
			return a, true
		}
	}
	return codec.Name{}, false
}

// After any joins, leaves, losses and returns: the first present player of a class is
// admitted first, no place is lost or repeated, and every position is the order of
// admission if all players were present.
func TestLine_Properties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, m := newLine(), lineModel{away: map[codec.Name]bool{}}
		joined := 0
		pickPlace := func(t *rapid.T) *waiter {
			all := []*waiter{}
			l.countPositions(func(w *waiter) { all = append(all, w) })
			if len(all) == 0 {
				t.Skip("nobody waits")
			}
			return rapid.SampledFrom(all).Draw(t, "place")
		}
		t.Repeat(map[string]func(*rapid.T){
			"join": func(t *rapid.T) {
				joined++
				class := Class(rapid.IntRange(0, int(MaxClass)).Draw(t, "class"))
				w := l.join(accountNumber(joined), class, codec.Conn(joined))
				m.classes[class] = append(m.classes[class], w.account)
				if got, want := w.position, positionByWalk(&l, w); got != want {
					t.Fatalf("told position %d on joining, want %d", got, want)
				}
			},
			"leave": func(t *rapid.T) {
				w := pickPlace(t)
				l.leave(w)
				m.remove(w.class, w.account)
			},
			"away": func(t *rapid.T) {
				w := pickPlace(t)
				l.away(w, 1)
				m.away[w.account] = true
			},
			"back": func(t *rapid.T) {
				w := pickPlace(t)
				l.back(w, 1)
				delete(m.away, w.account)
			},
			"take": func(t *rapid.T) {
				w := l.take()
				if w == nil {
					return
				}
				if first, ok := m.first(w.class); !ok || first != w.account {
					t.Fatalf("%v of class %d got in before %v", w.account, w.class, first)
				}
				m.remove(w.class, w.account)
			},
			"": func(t *rapid.T) { m.compare(t, &l) },
		})
	})
}

func positionByWalk(l *line, w *waiter) (position uint32) {
	n := uint32(0)
	l.countPositions(func(other *waiter) {
		n++
		if other == w {
			position = n
		}
	})
	return position
}

// compare compares the whole queue with the model.
func (m *lineModel) compare(t *rapid.T, l *line) {
	var got [MaxClass + 1][]codec.Name
	n, present := 0, 0
	l.countPositions(func(w *waiter) {
		n++
		if int(w.position) != n {
			t.Fatalf("position %d at place %d", w.position, n)
		}
		got[w.class] = append(got[w.class], w.account)
		if (w.conn == 0) != m.away[w.account] {
			t.Fatalf("%v: away is %v", w.account, w.conn == 0)
		}
		if w.conn != 0 {
			present++
		}
	})
	for class := range got {
		if !slices.Equal(got[class], m.classes[class]) {
			t.Fatalf("class %d is %v, want %v", class, got[class], m.classes[class])
		}
	}
	if n != l.len() || present != l.present {
		t.Fatalf("%d places, %d present; the line says %d and %d", n, present, l.len(), l.present)
	}
}

// If all players are present, they are admitted in the order of their positions.
func TestLine_PositionsAreTheOrderOfAdmission(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLine()
		for i := range rapid.IntRange(1, 200).Draw(t, "waiting") {
			l.join(accountNumber(i), Class(rapid.IntRange(0, int(MaxClass)).Draw(t, "class")), 1)
			if rapid.IntRange(0, 3).Draw(t, "served") == 0 {
				l.take()
			}
		}
		var order []codec.Name
		l.countPositions(func(w *waiter) { order = append(order, w.account) })
		for i, want := range order {
			if w := l.take(); w.account != want || int(w.position) != i+1 {
				t.Fatalf("place %d went to %v at position %d, want %v", i+1, w.account, w.position, want)
			}
		}
	})
}

// A lower class gets its share, however many players join higher classes. A class that
// was empty for long gets no more than its share when it fills.
func TestLine_NobodyIsStarved(t *testing.T) {
	l := newLine()
	n := 0
	join := func(class Class) {
		n++
		l.join(accountNumber(n), class, 1)
	}
	for range 1000 {
		join(0)
	}
	for range 10 {
		l.take() // class 3 is empty during this
	}
	served := [MaxClass + 1]int{}
	for range 650 {
		join(MaxClass)
		join(1)
		served[l.take().class]++
	}
	if served[0] < 650/85 || served[1] < 3*served[0] || served[3] < 12*served[1] {
		t.Fatalf("served by class: %v", served)
	}
}

func TestLine_AwayClassSavesNothingUp(t *testing.T) {
	l := newLine()
	for i := range 50 {
		l.away(l.join(accountNumber(i), 0, 1), 1)
	}
	for i := range 100 {
		l.join(accountNumber(1000+i), 0+1, 1)
	}
	for range 40 {
		if w := l.take(); w.class != 1 {
			t.Fatal("somebody who is away got in")
		}
	}
	for i := range 50 {
		l.back(l.find(accountNumber(i)), 1)
	}
	served := 0
	for range 50 {
		if l.take().class == 0 {
			served++
		}
	}
	if served > 12 {
		t.Fatalf("%d of 50 went to the class that was away, want about 10", served)
	}
}

func BenchmarkLine_CountPositions(b *testing.B) {
	l := newLine()
	for i := range 10_000 {
		l.join(accountNumber(i), Class(i%4), 1)
	}
	for b.Loop() {
		l.countPositions(func(*waiter) {})
	}
}
