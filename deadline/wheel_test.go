package deadline

import (
	"testing"
	"time"
)

func TestWheel_WakesOnceAtTheTick(t *testing.T) {
	var w Wheel[int]
	w.Advance(100_000, nil)
	woken := map[int]int64{}
	wake := func(k int, tick int64) { woken[k] = tick }
	far := int64(100_000 + 2*horizon*100)
	near, past, last := w.Arm(1, 100_250), w.Arm(2, 5), w.Arm(3, far)
	w.Advance(100_200, wake)
	if woken[2] != past || woken[1] != 0 {
		t.Fatalf("woken = %v", woken)
	}
	w.Advance(100_300, wake)
	if woken[1] != near || near != 1003 {
		t.Fatalf("woken = %v, near = %d", woken, near)
	}
	w.Advance(far, wake)
	if woken[3] != last || last >= far/100 {
		t.Fatalf("woken = %v, horizon = %d", woken, last)
	}
}

// There are too many ticks from 1970 to now to visit each: the test would not end.
func TestWheel_StepOfAnySizeCostsItsEntriesOnly(t *testing.T) {
	for _, to := range []int64{100_000 + horizon*100, 1_800_000_000_000, 1 << 62} {
		var w Wheel[int]
		w.Advance(100_000, nil)
		for k := range 3 * horizon {
			w.Arm(k, 100_000+int64(k)*100)
		}
		woken := map[int]int{}
		w.Advance(to, func(k int, tick int64) {
			woken[k]++
			if again := w.Arm(-1, 0); again != to/100+1 || tick > to/100 {
				t.Fatalf("woken for tick %d and armed for %d in a step to %d", tick, again, to/100)
			}
		})
		if len(woken) != 3*horizon {
			t.Errorf("step to %d: %d of %d were woken", to, len(woken), 3*horizon)
		}
		for k, n := range woken {
			if n != 1 || k < 0 {
				t.Fatalf("step to %d: %d was woken %d times", to, k, n)
			}
		}
		n := 0
		w.Advance(to+100, func(k int, _ int64) { n++ })
		if n != 3*horizon {
			t.Errorf("%d of %d that were armed meanwhile were woken at the next tick", n, 3*horizon)
		}
	}
}

// A key that is armed within a step is woken when its own time comes, wherever in the wheel it
// is.
func TestWheel_ArmingWithinAStepIsForLater(t *testing.T) {
	for ahead := int64(1); ahead < horizon; ahead++ {
		var w Wheel[string]
		w.Advance(100_000, nil)
		w.Arm("first", 100_100)
		w.Advance(100_000+50*100, func(string, int64) { w.Arm("second", 100_000+(50+ahead)*100) })
		n := 0
		w.Advance(100_000+(50+ahead)*100-1, func(string, int64) { n++ })
		if n != 0 {
			t.Fatalf("%d ticks ahead: woken early", ahead)
		}
		w.Advance(100_000+(50+ahead)*100, func(string, int64) { n++ })
		if n != 1 {
			t.Fatalf("%d ticks ahead: woken %d times", ahead, n)
		}
	}
}

func TestWheel_TimeThatGoesBackDoesNothing(t *testing.T) {
	var w Wheel[int]
	w.Advance(100_000, nil)
	w.Arm(1, 100_500)
	n := 0
	wake := func(int, int64) { n++ }
	w.Advance(5, wake)
	w.Advance(100_400, wake)
	if n != 0 {
		t.Fatal("woken early")
	}
	if w.Advance(100_500, wake); n != 1 {
		t.Fatalf("woken %d times", n)
	}
}

func TestWheel_SteadyStateAllocatesNothing(t *testing.T) {
	var w Wheel[int]
	now := int64(100_000)
	w.Advance(now, nil)
	round := func() {
		for k := range 8 {
			w.Arm(k, now+100)
		}
		now += 100
		w.Advance(now, func(int, int64) {})
	}
	for range 2 * horizon {
		round()
	}
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Fatalf("%v allocations a round", n)
	}
}

func TestNow_GoesOn(t *testing.T) {
	first := Now()
	if first <= 0 {
		t.Fatalf("%v since the machine started", first)
	}
	for Now() == first {
		time.Sleep(time.Microsecond)
	}
}
