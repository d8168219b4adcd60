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

// Table limits the events of each network where senders may be forged and an attacker can
// invent any number of networks. It has a fixed size: in a full set, the network whose share
// is complete the soonest is replaced. Its methods may be called on any goroutine.
//
// Rejected: a map with an eviction list, because its memory grows with the networks that an
// attacker invents. Rejected: one shared rate for the networks that find no room, because it
// would block real networks.
type Table struct {
	// static
	interval int64 // nanoseconds that an event costs
	depth    int64 // nanoseconds that a whole share holds
	mix      uint64

	mu   sync.Mutex
	sets [][tableWays]entry // guarded by mu
}

// entry is the state of one network.
type entry struct {
	network uint64 // 0 if the entry is free
	whole   int64  // when its share is complete again, in nanoseconds
	beyond  uint64 // events beyond the limit so far
}

// NewTable returns a Table that allows each network one event in each interval, and burst
// events at once. mix is 64 random bits: without them an attacker could choose networks that
// share a set.
func NewTable(interval time.Duration, burst int, mix uint64) *Table {
	return &Table{
		interval: int64(interval), depth: int64(interval) * int64(burst), mix: mix | 1,
		sets: make([][tableWays]entry, 1<<tableBits),
	}
}

// Take counts one event of a network, which is not 0. ok says whether it is within the limit.
// beyond is how many events of that network have been over the limit, including this one.
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

// entryLocked returns the entry of a network. If there is none, it replaces the entry whose
// share is complete the soonest.
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
