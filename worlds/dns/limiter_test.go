package dns

import (
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

func TestLimiter_NoLimit(t *testing.T) {
	l := testLimiter(-1, 0)
	for range 1000 {
		if l.take(1, testNow) != verdictSend {
			t.Fatal("limited")
		}
	}
}
