package bus

import "sync/atomic"

// counters are written by many goroutines and may be read from anywhere.
type counters struct {
	connects, disconnects atomic.Uint64
	overruns, faults      atomic.Uint64
	sent, received        atomic.Uint64
	announced             atomic.Uint64
	batches               atomic.Uint64
	dropped               atomic.Uint64
	droppedAnnouncements  atomic.Uint64
	malformed             atomic.Uint64
	outdated              atomic.Uint64
}

// Stats counts the work of a Conn and its nodes since Connect.
type Stats struct {
	// Up reports whether the connection is established.
	Up bool
	// Connects counts connections made, Disconnects connections lost.
	Connects, Disconnects uint64
	// Overruns counts how often a subscription fell behind and lost messages. Faults
	// counts other errors that the bus reported, such as a missing permission.
	Overruns, Faults uint64
	// Sent and Received count the messages of nodes.
	Sent, Received uint64
	// Announced counts announcements sent, Batches the messages that carried them.
	Announced, Batches uint64
	// DroppedAnnouncements counts announcements for which there was no room or no bus,
	// Dropped other effects.
	Dropped, DroppedAnnouncements uint64
	// Malformed counts messages that do not meet docs/bus-protocol.md.
	Malformed uint64
	// Outdated counts messages that were ignored because their sender no longer leads.
	Outdated uint64
}

// Stats reads the counters. It may be called from anywhere.
func (c *Conn) Stats() Stats {
	n := &c.count
	return Stats{
		Up: c.Up(), Connects: n.connects.Load(), Disconnects: n.disconnects.Load(),
		Overruns: n.overruns.Load(), Faults: n.faults.Load(),
		Sent: n.sent.Load(), Received: n.received.Load(),
		Announced: n.announced.Load(), Batches: n.batches.Load(),
		Dropped: n.dropped.Load(), DroppedAnnouncements: n.droppedAnnouncements.Load(),
		Malformed: n.malformed.Load(), Outdated: n.outdated.Load(),
	}
}
