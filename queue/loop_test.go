package queue

import "testing"

// A loop hands over the items of its shards in order, wipes them, flushes at the end of each
// round, and ends after the round in which End is called.
func TestLoop_Round(t *testing.T) {
	c := NewConsumer(ConsumerOptions{})
	first, second := NewShard[int](c, Limits{New: 4, Hard: 4}, nil), NewShard[string](c, Limits{New: 4, Hard: 4}, nil)
	var got []any
	l := NewLoop(c, func() { got = append(got, "begin") }, func() { got = append(got, "flush") })
	var batch *int
	Handle(&l, first, func(n *int) { got, batch = append(got, *n), n })
	Handle(&l, second, func(s *string) {
		got = append(got, *s)
		l.End()
	})
	number, text := 7, "seven"
	second.Push(&text)
	first.Push(&number)
	l.Run()
	if len(got) != 4 || got[0] != "begin" || got[1] != 7 || got[2] != "seven" || got[3] != "flush" {
		t.Fatalf("got %v", got)
	}
	if *batch != 0 {
		t.Error("the item is not wiped")
	}
	if !l.Ended() || !first.closed || !second.closed {
		t.Error("the loop has ended and its shards are open")
	}
	<-l.Done()
}

// faulty is a cleaner that panics, and records its calls.
type faulty struct {
	faults    int
	abandoned []uint64
}

func (f *faulty) Fault(any)          { f.faults++ }
func (f *faulty) CleanUp(tag uint64) { panic("again") }
func (f *faulty) Abandon(tag uint64) { f.abandoned = append(f.abandoned, tag) }

func TestRescue_ACleanUpThatFailsAbandons(t *testing.T) {
	f := &faulty{}
	func() {
		defer Rescue(f, 5)
	}()
	if f.faults != 0 {
		t.Fatal("there was no panic")
	}
	func() {
		defer Rescue(f, 5)
		panic("a bug")
	}()
	if f.faults != 2 || len(f.abandoned) != 1 || f.abandoned[0] != 5 {
		t.Errorf("%d faults, %v abandoned", f.faults, f.abandoned)
	}
}
