package bus

import (
	"context"
	"time"

	"gatepass/worlds"
)

// What the tests of this package need to see of it.
const (
	InboxRoom          = inboxRoom
	MaxAnnouncements   = maxAnnouncements
	MaxWaitingProgress = maxWaitingProgress
)

// Raise delivers Up to every node.
func (c *Conn) Raise() { c.raise() }

// Outdated is what a message with that epoch meets.
func (c *Conn) Outdated(epoch uint64) bool { return c.outdated(epoch) }

// DelayBatches makes the next batch of announcements wait.
func (n *Node) DelayBatches(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sentAt = n.conn.clock() + d
}

// FillAnnouncements leaves no room for an announcement.
func (n *Node) FillAnnouncements() {
	full := make([]worlds.Announcement, maxAnnouncements)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pending = full
}

// Take queues effects without sending them, and returns how much progress waits.
func (n *Node) Take(effects []worlds.Effect) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := range effects {
		n.takeLocked(&effects[i])
	}
	return len(n.progress)
}

// RegisterOnce sends one registration.
func (r *Registrar) RegisterOnce(ctx context.Context) error { return r.register(ctx) }

// BeatOnce sends one heartbeat.
func (r *Registrar) BeatOnce(ctx context.Context, b worlds.Beat) error {
	_, err := r.beat(ctx, b)
	return err
}

// ErrOutdated: the answer came from a manager that no longer leads.
var ErrOutdated = errOutdated

// Fence drops messages of an older leader.
type Fence struct{ fence fence }

// Outdated reports whether an epoch is older than one seen before.
func (f *Fence) Outdated(epoch uint64) bool { return f.fence.outdated(epoch) }
