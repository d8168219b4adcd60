package deadline

import "testing"

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
