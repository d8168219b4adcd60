package guard

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestBucket_NoRate_NeverWaits(t *testing.T) {
	b := NewBucket(0, 0)
	b.Take(1 << 40)
	if w := b.Wait(0); w != 0 {
		t.Errorf("waits %v", w)
	}
}

func TestBucket_LendsOnce(t *testing.T) {
	b := NewBucket(1_000, 0) // begins with 10 bytes
	if w := b.Wait(0); w != 0 {
		t.Fatalf("a fresh bucket waits %v", w)
	}
	b.Take(110)
	w := b.Wait(0)
	if want := 102 * time.Millisecond; w < want || w > want+2*time.Microsecond {
		t.Fatalf("owes 100 bytes, waits %v, want %v", w, want)
	}
	if b.Wait(w-time.Millisecond) == 0 && b.level > 1 {
		t.Error("it gave before its time")
	}
	if b.Wait(w) != 0 {
		t.Error("its wait was too short")
	}
	b.Take(-500) // bytes that were not needed
	b.Wait(w + time.Hour)
	if b.level != 10 {
		t.Errorf("%d bytes after an hour, want 10", b.level)
	}
}

// The sum of all takes keeps to the rate, except for the debt that the bucket allows and the
// bytes it begins with. A caller that waits as long as Wait says always gets something.
func TestBucket_HoldsTheRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Int64Range(1, 1<<40).Draw(t, "rate")
		now, taken := time.Duration(0), int64(0)
		b := NewBucket(rate, now)
		burst := b.level
		for range rapid.IntRange(1, 50).Draw(t, "steps") {
			now += time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(t, "pause"))
			if w := b.Wait(now); w > 0 {
				now += w
				if again := b.Wait(now); again > 0 {
					t.Fatalf("waited %v, is to wait %v more", w, again)
				}
			}
			most := int64(float64(rate)*now.Seconds()*(1+1e-9)) + burst + 2
			if taken > most {
				t.Fatalf("%d bytes within %v, at %d a second", taken, now, rate)
			}
			n := rapid.IntRange(1, 128<<10).Draw(t, "bytes")
			b.Take(n)
			taken += int64(n)
		}
	})
}

func TestBucket_ManySmallStepsLoseNothing(t *testing.T) {
	b, now := NewBucket(1_000_000, 0), time.Duration(0)
	b.Take(int(b.level) + 500_000)
	for b.Wait(now) > 0 {
		now += 100 * time.Nanosecond // a tenth of a byte
	}
	if want := 500 * time.Millisecond; now < want-time.Millisecond || now > want+3*time.Millisecond {
		t.Errorf("500,000 bytes were paid back in %v, want %v", now, want)
	}
}
