package server

import (
	"math"
	"time"
)

// bucket is a token bucket, of bytes. It is a plain value that reads no clock: times
// are since any fixed moment, and never go back.
//
// It lends: who finds anything in it may take more than there is, and the next one
// waits until that is paid back. So no turn has to wait for a sum of its own size, and
// the rate holds all the same.
type bucket struct {
	rate  int64 // bytes a second; 0 for no limit
	level int64 // bytes there are, below 0 what is owed
	at    time.Duration
}

// bucketSpan is for how long a bucket fills up while nobody takes anything, and
// bucketGrain for how long it is left alone once it is dry: who waits is woken for a
// few turns at a time.
const (
	bucketSpan  = 10 * time.Millisecond
	bucketGrain = 2 * time.Millisecond
)

func newBucket(rate int64, now time.Duration) bucket {
	b := bucket{rate: rate, at: now}
	b.level = b.within(bucketSpan)
	return b
}

// within is what comes in so much time, 1 byte at least.
func (b *bucket) within(d time.Duration) int64 {
	return max(1, int64(float64(b.rate)*d.Seconds()))
}

// wait is how long nobody may take anything; 0 says that one may.
func (b *bucket) wait(now time.Duration) time.Duration {
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

// fill adds what has come since it was filled last. What is less than a byte stays
// with the time.
func (b *bucket) fill(now time.Duration) {
	come := int64(float64(now-b.at) / float64(time.Second) * float64(b.rate))
	if come <= 0 {
		return
	}
	b.at += time.Duration(math.Ceil(float64(come) / float64(b.rate) * float64(time.Second)))
	if b.level += come; b.level >= b.within(bucketSpan) {
		b.level, b.at = b.within(bucketSpan), now
	}
}

// take takes n bytes, and with n below 0 brings back some that were not needed.
func (b *bucket) take(n int) {
	if b.rate != 0 {
		b.level -= int64(n)
	}
}
