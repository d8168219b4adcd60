package guard

import (
	"sync"
	"time"
)

// The size of a Table: sets × ways networks, 24 bytes each.
const (
	tableBits = 14 // sets = 1 << tableBits
	tableWays = 4
)

// Table limits the events of each network where senders may be forged, so that an
// attacker can make up any number of networks. It has a fixed size: in a set that is
// full, the network whose share is whole the soonest is replaced. Its methods may be
// called on any goroutine.
//
// Rejected: a map with an eviction list, whose memory grows with the networks that an
// attacker makes up; one shared rate for the networks that find no room, which would
// silence real ones.
type Table struct {
	// static
	interval int64 // nanoseconds that an event costs
	depth    int64 // nanoseconds that a whole share holds
	mix      uint64

	mu   sync.Mutex
	sets [][tableWays]entry // guarded by mu
}

// entry is one network's.
type entry struct {
	network uint64 // 0: none
	whole   int64  // when its share is whole again, in nanoseconds
	beyond  uint64 // events beyond the limit so far
}

// NewTable allows each network an event every interval, and burst events at once. mix is
// 64 random bits: without them an attacker could choose networks that share a set.
func NewTable(interval time.Duration, burst int, mix uint64) *Table {
	return &Table{
		interval: int64(interval), depth: int64(interval) * int64(burst), mix: mix | 1,
		sets: make([][tableWays]entry, 1<<tableBits),
	}
}

// Take counts one event of a network, which is not 0. ok tells whether it is within the
// limit; beyond is how many events of that network have been over it, this one included.
func (t *Table) Take(network uint64, now time.Duration) (beyond uint64, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entryLocked(network)
	whole, ok := spend(e.whole, int64(now), t.interval, t.depth)
	if ok {
		e.whole = whole
	} else {
		e.beyond++
	}
	return e.beyond, ok
}

// entryLocked finds a network's entry, or makes one in the place of that which is whole
// the soonest.
func (t *Table) entryLocked(network uint64) *entry {
	set := &t.sets[network*t.mix>>(64-tableBits)]
	oldest := &set[0]
	for i := range set {
		if set[i].network == network {
			return &set[i]
		}
		if set[i].whole < oldest.whole {
			oldest = &set[i]
		}
	}
	*oldest = entry{network: network}
	return oldest
}
