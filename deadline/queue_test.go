package deadline

import "testing"

func TestQueue_GivesBackInOrderOnceTheTimeHasCome(t *testing.T) {
	var q Queue[int]
	next := 0
	for k := range 1000 {
		q.Push(k, int64(k))
		if k%3 != 0 {
			continue
		}
		if got, ok := q.Next(int64(k)); !ok || got != next {
			t.Fatalf("at %d: %d, %v, want %d", k, got, ok, next)
		}
		next++
	}
	if _, ok := q.Next(int64(next) - 1); ok {
		t.Fatal("given back before its time")
	}
	for ; next < 1000; next++ {
		if got, ok := q.Next(1000); !ok || got != next {
			t.Fatalf("%d, %v, want %d", got, ok, next)
		}
	}
	if _, ok := q.Next(1 << 62); ok || q.Len() != 0 {
		t.Fatalf("%d left", q.Len())
	}
}

func TestQueue_SteadyStateAllocatesNothing(t *testing.T) {
	var q Queue[int]
	round := func() {
		for k := range 8 {
			q.Push(k, 0)
		}
		for _, ok := q.Next(0); ok; _, ok = q.Next(0) {
		}
	}
	round()
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Fatalf("%v allocations a round", n)
	}
}

func TestQueue_HoldsNothingThatItGaveBack(t *testing.T) {
	var q Queue[*int]
	for range 3 {
		q.Push(new(int), 0)
	}
	for _, ok := q.Next(0); ok; _, ok = q.Next(0) {
	}
	for i, e := range q.waiting[:cap(q.waiting)] {
		if e.key != nil {
			t.Errorf("place %d of %d still holds a key", i, cap(q.waiting))
		}
	}
}
