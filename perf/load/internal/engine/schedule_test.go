package engine

import (
	"math"
	"testing"
	"time"
)

func TestSchedule_Even_HasEqualGaps(t *testing.T) {
	s := newSchedule(1000, false, 1)
	for i := 1; i <= 5000; i++ {
		if want := time.Duration(i) * time.Millisecond; s.next() != want || s.take() != want {
			t.Fatalf("login %d is not due at %v", i, want)
		}
	}
}

func TestSchedule_Poisson_HasTheRateAndTheSpread(t *testing.T) {
	const n = 100_000
	s := newSchedule(1000, true, 7)
	var sum, squares float64
	last := s.take()
	for range n {
		due := s.take()
		gap := (due - last).Seconds() * 1000
		if gap < 0 {
			t.Fatal("a schedule that runs backwards")
		}
		sum, squares, last = sum+gap, squares+gap*gap, due
	}
	mean := sum / n
	deviation := math.Sqrt(squares/n - mean*mean)
	if math.Abs(mean-1) > 0.02 || math.Abs(deviation-1) > 0.03 {
		t.Errorf("gaps of mean %.3f and deviation %.3f ms, want 1 and 1", mean, deviation)
	}
}

func TestSchedule_EqualSeeds_EqualSchedules(t *testing.T) {
	a, b, c := newSchedule(10, true, 1), newSchedule(10, true, 1), newSchedule(10, true, 2)
	differ := false
	for range 100 {
		x, y, z := a.take(), b.take(), c.take()
		if x != y {
			t.Fatal("equal seeds, different schedules")
		}
		differ = differ || x != z
	}
	if !differ {
		t.Error("different seeds, equal schedules")
	}
}

func TestSchedule_Overdue(t *testing.T) {
	s := newSchedule(100, false, 1)
	if got := s.overdue(55*time.Millisecond, 100); got != 5 {
		t.Errorf("overdue = %d, want 5", got)
	}
	if got := s.overdue(time.Hour, 100); got != 100 {
		t.Errorf("overdue = %d, want the limit", got)
	}
}
