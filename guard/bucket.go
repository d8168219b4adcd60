package guard

import (
	"math"
	"time"
)

// Bucket limits the bytes a second of one stream. It is a plain value; times are since
// any fixed moment.
//
// A Bucket lends: as long as there is anything in it, more may be taken than there is,
// and the next one waits until the debt is paid. So nobody has to wait until as much is
// there as one turn needs, and the rate still holds.
type Bucket struct {
	rate  int64 // bytes a second; 0 for no limit
	level int64 // bytes in it; below 0 is a debt
	at    time.Duration
}

// BucketSpan is how much time's worth of bytes a Bucket holds when it is full.
const BucketSpan = 10 * time.Millisecond

// bucketGrain is how much time's worth of bytes Wait waits for once a Bucket is empty: a
// waiter is woken for a few turns at a time.
const bucketGrain = 2 * time.Millisecond

// NewBucket returns a full Bucket; rate is in bytes a second, 0 for no limit.
func NewBucket(rate int64, now time.Duration) Bucket {
	b := Bucket{rate: rate, at: now}
	b.level = b.within(BucketSpan)
	return b
}

// within is how many bytes come in d, 1 at least.
func (b *Bucket) within(d time.Duration) int64 {
	return max(1, int64(float64(b.rate)*d.Seconds()))
}

// Wait returns how long nothing may be taken; 0 means that it may be now.
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

// fill adds what has come since the last fill. A part of a byte is kept as time.
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
