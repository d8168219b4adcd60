package bus

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// leaderSilence is how long no world manager may be heard to lead before a node says
// so: twice a lease of the default length, so that a fail-over is not told of.
const leaderSilence = 6 * time.Second

// leaderWatch notes when a world manager was last heard to lead. Login servers and
// worlds hear its pulses, managers see its lease being renewed.
type leaderWatch struct {
	silence time.Duration // static

	mu    sync.Mutex
	on    bool          // guarded by mu; this node listens for a leader
	heard time.Duration // guarded by mu; since on, at least, by the connection's clock
	told  bool          // guarded by mu; the log says that nobody leads
}

// hear notes a sign of a leader; anywhere.
func (w *leaderWatch) hear(now time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = now
}

// missing tells whether no leader was heard for long, and for how long.
func (w *leaderWatch) missing(now time.Duration) (silent time.Duration, missing bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	silent = now - w.heard
	return silent, w.on && silent >= w.silence
}

// turned tells whether missing is other than the log says, which it does from now on.
func (w *leaderWatch) turned(missing bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	turned := missing != w.told
	w.told = missing
	return turned
}

// watchLeader begins to say in the log when nobody leads, until Close. It may be
// called again.
func (c *Conn) watchLeader() error {
	c.leader.mu.Lock()
	on := c.leader.on
	if !on {
		c.leader.on, c.leader.heard = true, c.clock()
	}
	c.leader.mu.Unlock()
	if on {
		return nil
	}
	_, err := c.spawn(func(life context.Context) {
		for sleep(life, c.leader.silence/6) {
			c.tellLeader()
		}
	})
	return err
}

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

// Leaderless tells whether this node has not heard for 6 s that a world manager
// leads, and since when. It is false for nodes that do not listen for one: DNS
// servers, operators, and whoever has called neither Node nor RunManager. Anywhere.
func (c *Conn) Leaderless() (since time.Time, leaderless bool) {
	silent, leaderless := c.leader.missing(c.clock())
	return time.Now().Add(-silent), leaderless
}

// NeedsLeader tells whether this node listens for a leader; anywhere.
func (c *Conn) NeedsLeader() bool {
	c.leader.mu.Lock()
	defer c.leader.mu.Unlock()
	return c.leader.on
}

// errOutdated: a manager has said it that does not lead any more.
var errOutdated = errors.New("bus: the answer is of a manager that does not lead any more")

// fence drops what a manager says that leads no more. A leader looks at its lease
// before it speaks, but its process may stand still between the look and the word, for
// as long as it takes another to lead. So everything that a leader says names its epoch,
// and whoever has heard of a greater one does not listen.
type fence struct{ epoch atomic.Uint64 }

// outdated tells whether an epoch is lower than one that was heard before. 0 is of
// managers of an earlier version, which do not say theirs.
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

// outdated tells whether a manager that says this does not lead any more, and counts it.
func (c *Conn) outdated(epoch uint64) bool {
	old := c.fence.outdated(epoch)
	if old {
		c.count.outdated.Add(1)
	}
	return old
}
