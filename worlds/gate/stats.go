package gate

import (
	"sync/atomic"
	"time"

	"gatepass/queue"
	"gatepass/server"
	"gatepass/worlds"
)

// counters are written on the logic goroutine and read anywhere.
type counters struct {
	inState       [StateCount]atomic.Int64
	expired       [StateCount]atomic.Uint64
	refused       [RefusalCount]atomic.Uint64
	left          [LeftReasonCount]atomic.Uint64
	outcomes      [worlds.OutcomeKindCount]atomic.Uint64
	claims        atomic.Uint64
	passesUsed    atomic.Uint64
	native        atomic.Int64
	broken        atomic.Uint64
	entered       atomic.Uint64
	replaced      atomic.Uint64
	waited        atomic.Uint64
	waitedMillis  atomic.Uint64
	placesLost    atomic.Uint64
	positionsTold atomic.Uint64
	keysExpired   atomic.Uint64
	packets       atomic.Uint64
	ignored       atomic.Uint64
	postsLate     atomic.Uint64
	panics        atomic.Uint64
	// inside, places and keys are published with each tick.
	keys, places atomic.Int64
}

// Stats counts what a gate did since it was opened, and what it holds now.
type Stats struct {
	// InState is how many connections are in each state now, Expired how many were
	// too long in one.
	InState [StateCount]int64
	Expired [StateCount]uint64
	// Refused counts clients that were not let in, by reason, Left players who are
	// gone.
	Refused [RefusalCount]uint64
	Left    [LeftReasonCount]uint64
	// Claims counts keys asked for, Outcomes what became of moves, either way,
	// PassesUsed clients that came with a pass.
	Claims, PassesUsed uint64
	Outcomes           [worlds.OutcomeKindCount]uint64
	// Native is how many native clients there are, in whatever state, Broken how many
	// were cut off for a violation behind a right proof: what was sealed was changed on
	// its way, or their client is at fault.
	Native int64
	Broken uint64
	// Entered counts players let in, Replaced connections that another of the same
	// account has taken the place of.
	Entered, Replaced uint64
	// Queue is how many places in line are taken, those of players who are away
	// included. Waited counts those who got in from it, WaitedTime how long they
	// waited in all; PlacesLost players who did not come back in time.
	Queue      int64
	Waited     uint64
	WaitedTime time.Duration
	PlacesLost uint64
	// PositionsTold counts updates of places in line.
	PositionsTold uint64
	// Keys is how many keys are here, KeysExpired how many nobody came back for.
	Keys        int64
	KeysExpired uint64
	// Packets counts what the handler was given, Ignored what clients in line have
	// said, PostsLate what the game wanted for players who were gone.
	Packets, Ignored, PostsLate uint64
	// Panics counts faults of ours or of the handler's that cost a player.
	Panics uint64
	// Server is of the connections, Inbox of the logic's queues.
	Server server.Stats
	Inbox  InboxStats
}

// InboxStats tells how full the logic's inbox is.
type InboxStats struct {
	Bus, Posts queue.ShardStats
	Clients    []queue.ShardStats
	Loop       queue.ConsumerStats
}

// stats reads the counters; anywhere.
func (c *core) stats() Stats {
	n := &c.count
	st := Stats{
		Claims: n.claims.Load(), PassesUsed: n.passesUsed.Load(),
		Native: n.native.Load(), Broken: n.broken.Load(),
		Entered: n.entered.Load(), Replaced: n.replaced.Load(),
		Queue: n.places.Load(), Waited: n.waited.Load(),
		WaitedTime: time.Duration(n.waitedMillis.Load()) * time.Millisecond,
		PlacesLost: n.placesLost.Load(), PositionsTold: n.positionsTold.Load(),
		Keys: n.keys.Load(), KeysExpired: n.keysExpired.Load(),
		Packets: n.packets.Load(), Ignored: n.ignored.Load(), PostsLate: n.postsLate.Load(),
		Panics: n.panics.Load(),
	}
	for i := range n.inState {
		st.InState[i], st.Expired[i] = n.inState[i].Load(), n.expired[i].Load()
	}
	for i := range n.refused {
		st.Refused[i] = n.refused[i].Load()
	}
	for i := range n.left {
		st.Left[i] = n.left[i].Load()
	}
	for i := range n.outcomes {
		st.Outcomes[i] = n.outcomes[i].Load()
	}
	return st
}

// publish updates the gauges that are not counted as they change.
func (c *core) publish() {
	c.count.keys.Store(int64(c.passes.Len()))
	c.count.places.Store(int64(c.line.len()))
}
