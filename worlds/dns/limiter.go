package dns

import (
	"net/netip"
	"sync"
	"time"
)

// The limiter's table: sets × ways networks, 24 bytes each.
const (
	limiterBits = 14 // sets = 1 << limiterBits
	limiterWays = 4
	// slipEvery: of so many responses beyond the limit one is sent truncated.
	slipEvery = 2
)

// verdict is what the limiter says of one response.
type verdict uint8

const (
	verdictSend verdict = iota
	verdictSlip         // send it empty and truncated
	verdictDrop
)

// limiter bounds the responses to each network, because whoever forges the
// sender of questions makes us flood it with answers. A network has a bucket of
// which only the time is kept at which it would be full again, so an entry that
// lies in the past says nothing and may be replaced. The table has a fixed size;
// in a set that is full the entry that says least goes.
//
// Rejected: a map with an eviction list, which takes memory from whoever forges
// enough networks; one bucket for all that fall together, by which an attacker
// would silence others.
type limiter struct {
	// Static.
	interval int64 // nanoseconds a response costs
	depth    int64 // nanoseconds a full bucket holds
	mix      uint64

	mu   sync.Mutex
	sets [][limiterWays]bucket // guarded by mu
}

// bucket is one network's.
type bucket struct {
	network uint64 // 0: none
	fullAt  int64  // nanoseconds of Options.Clock
	beyond  uint64 // responses beyond the limit so far
}

// newLimiter is nil for no limit. mix is 64 random bits: without them an attacker
// could choose networks that share a set.
func newLimiter(o *Options, mix uint64) *limiter {
	if o.RateLimit <= 0 {
		return nil
	}
	interval := int64(time.Second) / int64(o.RateLimit)
	return &limiter{
		interval: interval, depth: interval * int64(o.RateBurst), mix: mix | 1,
		sets: make([][limiterWays]bucket, 1<<limiterBits),
	}
}

// take asks for one response. Any goroutine.
func (l *limiter) take(network uint64, now time.Duration) verdict {
	if l == nil {
		return verdictSend
	}
	at := int64(now)
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucketLocked(network)
	full := max(b.fullAt, at)
	if full+l.interval-at > l.depth {
		b.beyond++
		if b.beyond%slipEvery == 0 {
			return verdictSlip
		}
		return verdictDrop
	}
	b.fullAt = full + l.interval
	return verdictSend
}

// bucketLocked finds a network's bucket, or makes one in the place of that which
// is full the soonest.
func (l *limiter) bucketLocked(network uint64) *bucket {
	set := &l.sets[network*l.mix>>(64-limiterBits)]
	oldest := &set[0]
	for i := range set {
		if set[i].network == network {
			return &set[i]
		}
		if set[i].fullAt < oldest.fullAt {
			oldest = &set[i]
		}
	}
	*oldest = bucket{network: network}
	return oldest
}

// networkOf is the network of a client as a number that is never 0: an IPv4 /24,
// or an IPv6 /56, which is what one customer of a provider gets.
func networkOf(a netip.Addr) uint64 {
	if a = a.Unmap(); a.Is4() {
		b := a.As4()
		return 1<<62 | uint64(b[0])<<16 | uint64(b[1])<<8 | uint64(b[2])
	}
	n := uint64(1)
	b := a.As16()
	for _, c := range b[:7] {
		n = n<<8 | uint64(c)
	}
	return n
}
