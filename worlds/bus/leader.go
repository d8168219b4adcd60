package bus

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// leaderSilence is the default of Options.LeaderSilence: twice the default length of a
// lease, so that a fail-over is not reported.
const leaderSilence = 6 * time.Second

// leaderWatch notes when a leader was last heard. Login servers and worlds hear its
// pulses; managers see that its lease is renewed.
type leaderWatch struct {
	silence time.Duration // static

	mu    sync.Mutex
	on    bool          // guarded by mu; this node listens for a leader
	heard time.Duration // guarded by mu; by the connection's clock; when on was set or later
	told  bool          // guarded by mu; the log says that no manager leads
}

// begin starts the watch. It reports false if it has begun before.
func (w *leaderWatch) begin(now time.Duration) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.on {
		return false
	}
	w.on, w.heard = true, now
	return true
}

// hear notes a sign of a leader.
func (w *leaderWatch) hear(now time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = now
}

// missing reports whether no leader was heard for too long, and for how long.
func (w *leaderWatch) missing(now time.Duration) (silent time.Duration, missing bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	silent = now - w.heard
	return silent, w.on && silent >= w.silence
}

// turned reports whether missing differs from what the log says, and remembers it as
// logged.
func (w *leaderWatch) turned(missing bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	turned := missing != w.told
	w.told = missing
	return turned
}

// tellLeader logs when the leader is missing and when there is one again.
func (c *Conn) tellLeader() {
	since, missing := c.Leaderless()
	if !c.leader.turned(missing) {
		return
	}
	if missing {
		c.log.Warn("bus: no world manager leads", "since", since.Format(time.RFC3339))
	} else {
		c.log.Info("bus: a world manager leads again")
	}
}

// Leaderless reports whether this node has heard no leading world manager for
// Options.LeaderSilence, and since when. It is false for a connection that does not listen
// for a leader, because neither Node nor lead.RunManager was called on it. It may be called
// from anywhere.
func (c *Conn) Leaderless() (since time.Time, leaderless bool) {
	silent, leaderless := c.leader.missing(c.clock())
	return time.Now().Add(-silent), leaderless
}

// NeedsLeader reports whether this node listens for a leader. It may be called from
// anywhere.
func (c *Conn) NeedsLeader() bool {
	c.leader.mu.Lock()
	defer c.leader.mu.Unlock()
	return c.leader.on
}

// errOutdated: the answer came from a manager that no longer leads.
var errOutdated = errors.New("bus: the answer comes from a manager that no longer leads")

// fence drops messages of a manager that no longer leads. A leader checks its lease before
// it sends, but its process may be suspended between the check and the message until
// another manager leads. Every message of a leader therefore has its epoch, and a node
// drops messages with a lower epoch than the greatest it has seen.
type fence struct{ epoch atomic.Uint64 }

// outdated reports whether an epoch is lower than one seen before. It is false for 0:
// managers of an earlier version send no epoch.
func (f *fence) outdated(epoch uint64) bool {
	for {
		known := f.epoch.Load()
		if epoch <= known {
			return epoch != known && epoch != 0
		}
		if f.epoch.CompareAndSwap(known, epoch) {
			return false
		}
	}
}

// outdated reports whether a message with that epoch comes from a manager that no longer
// leads, and counts it.
func (c *Conn) outdated(epoch uint64) bool {
	old := c.fence.outdated(epoch)
	if old {
		c.count.outdated.Add(1)
	}
	return old
}
