package bus

import "sync/atomic"

// counters are written by many goroutines and read anywhere.
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

// Stats counts what a Conn and its nodes did since Connect.
type Stats struct {
	// Up tells whether the connection is there.
	Up bool
	// Connects counts connections made, Disconnects those lost.
	Connects, Disconnects uint64
	// Overruns counts messages that came faster than they were taken, Faults
	// other trouble that the bus reported, such as a missing permission.
	Overruns, Faults uint64
	// Sent and Received count the messages of nodes.
	Sent, Received uint64
	// Announced counts announcements sent, Batches the messages they were in.
	Announced, Batches uint64
	// Dropped counts effects for which there was no room or no bus, other than
	// announcements, which DroppedAnnouncements counts.
	Dropped, DroppedAnnouncements uint64
	// Malformed counts messages that were not as docs/bus.md says.
	Malformed uint64
	// Outdated counts what was not listened to, for the manager that said it leads no
	// more.
	Outdated uint64
}

// Stats reads the counters; anywhere.
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
