package guard

import (
	"math"
	"time"
)

// Bucket limits the bytes a second of one stream. It is a plain value. Times count from any
// fixed moment.
//
// A Bucket allows debt: while it is not empty, a caller may take more than it holds, and the
// next caller waits until the debt is paid. A caller therefore never waits until the bucket
// holds a whole turn, and the rate still holds.
type Bucket struct {
	rate  int64 // bytes a second; 0 for no limit
	level int64 // bytes in it; negative is a debt
	at    time.Duration
}

// BucketSpan is the size of a full Bucket, as the time in which that many bytes arrive.
const BucketSpan = 10 * time.Millisecond

// bucketGrain is how much Wait waits for once a Bucket is empty, as the time in which that
// many bytes arrive. A waiter is therefore woken for a few turns at a time.
const bucketGrain = 2 * time.Millisecond

// NewBucket returns a full Bucket; rate is in bytes a second, 0 for no limit.
func NewBucket(rate int64, now time.Duration) Bucket {
	b := Bucket{rate: rate, at: now}
	b.level = b.within(BucketSpan)
	return b
}

// within returns how many bytes arrive in d, at least 1.
func (b *Bucket) within(d time.Duration) int64 {
	return max(1, int64(float64(b.rate)*d.Seconds()))
}

// Wait returns how long the caller has to wait before it may take bytes; 0 means now.
func (b *Bucket) Wait(now time.Duration) time.Duration {
	if b.rate == 0 {
		return 0
	}
	b.fill(now)
	if b.level > 0 {
		return 0
	}
	missing := b.within(bucketGrain) - b.level
	return time.Duration(float64(missing)/float64(b.rate)*float64(time.Second)) + time.Microsecond // rounded up
}

// fill adds the bytes that have arrived since the last fill. A part of a byte is kept as time.
func (b *Bucket) fill(now time.Duration) {
	come := int64(float64(now-b.at) / float64(time.Second) * float64(b.rate))
	if come <= 0 {
		return
	}
	b.at += time.Duration(math.Ceil(float64(come) / float64(b.rate) * float64(time.Second)))
	if b.level += come; b.level >= b.within(BucketSpan) {
		b.level, b.at = b.within(BucketSpan), now
	}
}

// Take takes n bytes; n below 0 returns bytes that were not used.
func (b *Bucket) Take(n int) {
	if b.rate != 0 {
		b.level -= int64(n)
	}
}
