package guard

import (
	"sync"
	"testing"
	"time"
)

const testNow = 1_800_000_000 * time.Second

func testTable(rate, burst int) *Table {
	return NewTable(time.Second/time.Duration(rate), burst, 12345)
}

// takes returns whether one event of a network is within the limit.
func (t *Table) takes(network uint64, now time.Duration) bool {
	_, ok := t.Take(network, now)
	return ok
}

func TestTable_CountsWhatIsBeyond(t *testing.T) {
	l := testTable(1, 2)
	for i, want := range []struct {
		beyond uint64
		ok     bool
	}{{0, true}, {0, true}, {1, false}, {2, false}} {
		if beyond, ok := l.Take(1, testNow); beyond != want.beyond || ok != want.ok {
			t.Errorf("event %d: %d, %v, want %v", i, beyond, ok, want)
		}
	}
	if beyond, ok := l.Take(1, testNow+time.Second); beyond != 2 || !ok {
		t.Errorf("a second later: %d, %v", beyond, ok)
	}
}

func TestTable_EachNetworkItsOwn(t *testing.T) {
	l := testTable(1, 1)
	for n := range uint64(1000) {
		if !l.takes(n+1, testNow) {
			t.Fatalf("network %d pays for others", n)
		}
	}
}

// After a clock is set back, a network is not blocked for longer than before.
func TestTable_ClockSetBack(t *testing.T) {
	l := testTable(1, 1)
	l.takes(1, testNow)
	if l.takes(1, testNow-time.Second) {
		t.Error("a step back filled the share")
	}
	if !l.takes(1, testNow+time.Second) {
		t.Error("still shut out")
	}
}

// The table keeps its size for any number of invented networks. It still finds a network that
// floods, as long as the other networks of its set are quiet.
func TestTable_Bounded(t *testing.T) {
	l := testTable(1, 1)
	for n := range uint64(1 << 18) {
		l.takes(n+1, testNow+time.Duration(n))
	}
	if got := len(l.sets) * tableWays; got != 1<<16 {
		t.Errorf("%d entries", got)
	}
	late := testNow + time.Hour
	if !l.takes(7, late) || l.takes(7, late) {
		t.Error("after a flood: a network has no entry of its own")
	}
}

func TestTable_AtOnce(t *testing.T) {
	l := testTable(1, 100)
	var all sync.WaitGroup
	var mu sync.Mutex
	sent := 0
	for range 4 {
		all.Go(func() {
			for range 100 {
				if l.takes(1, testNow) {
					mu.Lock()
					sent++
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	if sent != 100 {
		t.Errorf("%d taken, want 100", sent)
	}
}
