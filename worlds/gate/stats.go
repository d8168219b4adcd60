package gate

import (
	"sync/atomic"
	"time"

	"gatepass/queue"
	"gatepass/server"
	"gatepass/worlds"
)

// counters are written on the logic goroutine and read from any goroutine.
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
	// keys and places are updated with each tick.
	keys, places atomic.Int64
}

// Stats has a gate's counters since it was opened, and its gauges. The metrics are
// declared here; see package counters.
type Stats struct {
	InState stateGauges   `metric:"gate_sessions,state" help:"Connections at the gate, by state."`
	Expired stateCounts   `metric:"gate_expired_total,state" help:"Connections that were too long in a state."`
	Refused refusalCounts `metric:"gate_refused_total,reason" help:"Clients that were not let in, by reason."`
	Left    leftCounts    `metric:"gate_left_total,reason" help:"Players who are gone, by reason."`
	// Outcomes counts moves in both directions.
	Outcomes   outcomeCounts `metric:"gate_moves_total,outcome" help:"How moves of keys came out here."`
	Claims     uint64        `metric:"gate_claims_total" help:"Keys asked for."`
	PassesUsed uint64        `metric:"gate_passes_used_total" help:"Clients that came with a pass."`
	Native     int64         `metric:"gate_native_clients" help:"Native clients now, in any state."`
	// Broken frames were changed on the way, or the client is faulty.
	Broken   uint64 `metric:"gate_native_broken_total" help:"Native clients cut off behind a right proof: a sealed frame was changed, cut, repeated or reordered, or made no sense."`
	Entered  uint64 `metric:"gate_entered_total" help:"Players let in."`
	Replaced uint64 `metric:"gate_replaced_total" help:"Connections that another of the same account took the place of."`
	// Queue includes the places of absent players.
	Queue         int64         `metric:"gate_queue_length" help:"Places in line that are taken."`
	Waited        uint64        `metric:"gate_waited_total" help:"Players who got in from the line."`
	WaitedTime    time.Duration `metric:"gate_waited_seconds_total" help:"How long they waited in all."`
	PlacesLost    uint64        `metric:"gate_places_lost_total" help:"Players in line who did not come back in time."`
	PositionsTold uint64        `metric:"gate_positions_told_total" help:"Updates of places in line."`
	Keys          int64         `metric:"gate_keys" help:"Session keys held."`
	KeysExpired   uint64        `metric:"gate_keys_expired_total" help:"Keys nobody came back for."`
	Packets       uint64        `metric:"gate_packets_total" help:"Packets given to the game."`
	// Ignored counts packets of clients in the queue. PostsLate counts calls of the
	// game for players who were gone.
	Ignored, PostsLate uint64
	// Panics are bugs in this program or in the handler.
	Panics uint64 `metric:"gate_panics_total" help:"Panics that cost a player."`
	// Server has the counters of the connections, Inbox those of the logic's queues.
	Server server.Stats
	Inbox  InboxStats
}

// Array types of Stats, with the names of their indexes.
type (
	stateGauges   [StateCount]int64
	stateCounts   [StateCount]uint64
	refusalCounts [RefusalCount]uint64
	leftCounts    [LeftReasonCount]uint64
	outcomeCounts [worlds.OutcomeKindCount]uint64
)

func (stateGauges) Label(i int) string   { return StateID(i).String() }
func (stateCounts) Label(i int) string   { return StateID(i).String() }
func (refusalCounts) Label(i int) string { return Refusal(i).String() }
func (leftCounts) Label(i int) string    { return LeftReason(i).String() }
func (outcomeCounts) Label(i int) string {
	if i < int(worlds.OutcomeTaken) {
		return "" // not an outcome
	}
	return worlds.OutcomeKind(i).String()
}

// InboxStats says how full the logic's inbox is.
type InboxStats struct {
	Bus, Posts queue.ShardStats
	Clients    []queue.ShardStats
	Loop       queue.ConsumerStats
}

// stats returns the counters. It may be called from any goroutine.
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

// publish updates the gauges that are not updated at each change.
func (c *core) publish() {
	c.count.keys.Store(int64(c.passes.Len()))
	c.count.places.Store(int64(c.line.len()))
}
