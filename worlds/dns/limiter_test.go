package dns

import (
	"net/netip"
	"sync"
	"testing"
	"time"
)

func testLimiter(rate, burst int) *limiter {
	return newLimiter(&Options{RateLimit: rate, RateBurst: burst, Clock: func() time.Duration { return testNow }}, 12345)
}

func TestLimiter_BurstThenRate(t *testing.T) {
	l := testLimiter(10, 20)
	met := func(from, to time.Duration, every time.Duration) (send, slip, drop int) {
		for at := from; at < to; at += every {
			switch l.take(1, testNow+at) {
			case verdictSend:
				send++
			case verdictSlip:
				slip++
			default:
				drop++
			}
		}
		return send, slip, drop
	}
	if send, slip, drop := met(0, 60*time.Microsecond, time.Microsecond); send != 20 || slip != 20 || drop != 20 {
		t.Errorf("at once: %d sent, %d slipped, %d dropped of 60", send, slip, drop)
	}
	if send, _, _ := met(time.Second, 11*time.Second, time.Millisecond); send < 109 || send > 111 {
		t.Errorf("%d sent in 10 s behind a pause of one, want 110", send)
	}
	if send, slip, drop := met(time.Minute, 2*time.Minute, 100*time.Millisecond); send != 600 || slip+drop != 0 {
		t.Errorf("within the rate: %d sent, %d slipped, %d dropped of 600", send, slip, drop)
	}
}

func TestLimiter_EachNetworkItsOwn(t *testing.T) {
	l := testLimiter(1, 1)
	for n := range uint64(1000) {
		if l.take(n+1, testNow) != verdictSend {
			t.Fatalf("network %d pays for others", n)
		}
	}
}

// A clock that is set back does not shut a network out for longer than it was.
func TestLimiter_ClockSetBack(t *testing.T) {
	l := testLimiter(1, 1)
	l.take(1, testNow)
	if l.take(1, testNow-time.Second) == verdictSend {
		t.Error("a step back filled the bucket")
	}
	if l.take(1, testNow+time.Second) != verdictSend {
		t.Error("still shut out")
	}
}

// However many networks are forged, the table has its size, and who floods is
// found again as long as the others of its set are quiet.
func TestLimiter_Bounded(t *testing.T) {
	l := testLimiter(1, 1)
	for n := range uint64(1 << 18) {
		l.take(n+1, testNow+time.Duration(n))
	}
	if got := len(l.sets) * limiterWays; got != 1<<16 {
		t.Errorf("%d buckets", got)
	}
	late := testNow + time.Hour
	if l.take(7, late) != verdictSend || l.take(7, late) == verdictSend {
		t.Error("after a flood: a network has no bucket of its own")
	}
}

func TestLimiter_NoLimit(t *testing.T) {
	l := testLimiter(-1, 0)
	for range 1000 {
		if l.take(1, testNow) != verdictSend {
			t.Fatal("limited")
		}
	}
}

func TestLimiter_AtOnce(t *testing.T) {
	l := testLimiter(1, 100)
	var all sync.WaitGroup
	var mu sync.Mutex
	sent := 0
	for range 4 {
		all.Go(func() {
			for range 100 {
				if l.take(1, testNow) == verdictSend {
					mu.Lock()
					sent++
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	if sent != 100 {
		t.Errorf("%d sent, want 100", sent)
	}
}

func TestNetworkOf(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "192.0.2.254", true},
		{"192.0.2.1", "192.0.3.1", false},
		{"192.0.2.1", "::ffff:192.0.2.9", true},
		{"2001:db8:1:1::1", "2001:db8:1:ff:ffff::9", true},
		{"2001:db8:1:1::1", "2001:db8:1:101::1", false},
		{"0.0.0.1", "::1", false},
	} {
		a, b := networkOf(netip.MustParseAddr(c.a)), networkOf(netip.MustParseAddr(c.b))
		if (a == b) != c.same || a == 0 || b == 0 {
			t.Errorf("%s is %x, %s is %x", c.a, a, c.b, b)
		}
	}
}
