package logic

import (
	"sync/atomic"
	"time"

	"gatepass/codec"
	"gatepass/worlds"
)

// counters are written on the logic goroutine and read anywhere.
type counters struct {
	messages    [codec.KindCount]atomic.Uint64
	inState     [StateCount]atomic.Int64
	outOfPlace  [StateCount]atomic.Uint64
	expired     [StateCount]atomic.Uint64
	signals     [SignalKindCount]atomic.Uint64
	refused     [codec.ResultCount]atomic.Uint64
	signalLoops atomic.Uint64
	storeErrors atomic.Uint64
	authErrors  atomic.Uint64
	jobsRefused atomic.Uint64
	opsRefused  atomic.Uint64
	// updateFailures counts updates that failed, by how they ended; updating and
	// waiting are those being sent and those in line.
	updateFailures    [codec.TransferEndCount]atomic.Uint64
	updating, waiting atomic.Int64
	panics            atomic.Uint64
	movesIn           atomic.Uint64
	movesOut          atomic.Uint64
	moving            atomic.Int64
	moves             [worlds.OutcomeKindCount]atomic.Uint64
	pushed            atomic.Uint64
	// notesDropped counts character counts for which there was no room.
	notesDropped atomic.Uint64
	// bansLoaded tells that the address bans were read once, bans how many hold.
	bansLoaded        atomic.Bool
	bans, bansDamaged atomic.Int64
	// settled is that of decoys.
	settled atomic.Bool
	// selectRefused counts what native clients were told that got no pass, natives
	// those that are in.
	selectRefused [codec.SelectReasonCount]atomic.Uint64
	natives       atomic.Int64
	maintenance   atomic.Bool
	stale         atomic.Bool
	keys          atomic.Int64
	stock         atomic.Int64
	lastTick      atomic.Int64
	overdue       atomic.Int64
}

// Stats are what the logic has counted since it started, and what it holds now. Their
// metrics are declared here; see package counters.
type Stats struct {
	Messages   kindCounts    `metric:"logic_messages_total,kind" help:"Messages processed, by kind."`
	InState    stateGauges   `metric:"sessions,state" help:"Sessions, by state."`
	OutOfPlace stateCounts   `metric:"logic_out_of_place_total,state" help:"Messages that the session's state did not take."`
	Expired    stateCounts   `metric:"logic_expired_total,state" help:"Sessions that were too long in a state."`
	Signals    signalCounts  `metric:"logins_total,outcome" help:"What has happened to logins, by outcome."`
	Refused    resultCounts  `metric:"refusals_total,result" help:"What clients were refused with."`
	Moves      outcomeCounts `metric:"moves_total,outcome" help:"How moves of keys came out here."`
	// RefusedBy is by the rule's name.
	RefusedBy      map[string]uint64 `metric:"filter_refusals_total,filter" help:"Refusals, by filter."`
	SelectRefused  selectCounts      `metric:"picks_refused_total,reason" help:"Picks of native clients that came to no pass, by reason."`
	UpdateFailures updateCounts      `metric:"updates_failed_total,reason" help:"Updates of clients that could not be finished, by reason."`

	MovesIn     uint64 `metric:"moves_in_total" help:"Messages about moves of keys that came."`
	MovesOut    uint64 `metric:"moves_out_total" help:"Messages about moves of keys that were sent."`
	Pushed      uint64 `metric:"lists_pushed_total" help:"Lists of worlds sent unasked."`
	Panics      uint64 `metric:"logic_panics_total" help:"Panics that cost one session."`
	SignalLoops uint64 `metric:"logic_signal_loops_total" help:"Signals cut because they went in a circle."`
	StoreErrors uint64 `metric:"logic_storage_errors_total" help:"Storage requests that failed."`
	AuthErrors  uint64 `metric:"logic_auth_errors_total" help:"Auth jobs that failed for other reasons than a wrong proof."`
	OpsRefused  uint64 `metric:"logic_storage_refused_total" help:"Storage requests for which there was no room."`
	JobsRefused uint64 `metric:"logic_auth_refused_total" help:"Auth jobs for which there was no room."`
	// NotesDropped are not stored: the client's number of characters stays as it was.
	NotesDropped uint64 `metric:"character_counts_dropped_total" help:"Reports of characters for which there was no room."`

	// BansLoaded tells that the address bans have been read once; before, no client should
	// be let in.
	BansLoaded bool
	// Settled tells that password sign-ins are answered. Before a server of a region has
	// met its region once, they are refused as busy.
	Settled     bool
	Bans        int64 `metric:"address_bans" help:"Address bans that hold."`
	BansDamaged int64 `metric:"address_bans_damaged" help:"Address bans that are stored and cannot be read; they do not hold."`
	Natives     int64 `metric:"sessions_native" help:"Native clients that are in."`
	Updating    int64 `metric:"updates_sending" help:"Clients that are being sent a patch."`
	Waiting     int64 `metric:"updates_waiting" help:"Clients that wait in line for one."`
	Maintenance bool  `metric:"maintenance" help:"1 while an operator has logins refused."`
	Stale       bool  `metric:"list_stale" help:"1 while no world manager is heard: the list may be out of date."`
	Keys        int64 `metric:"session_keys" help:"Session keys held, those in their grace included."`
	Stock       int64 `metric:"ephemeral_stock" help:"Ephemeral keys ready for a challenge."`
}

// Stats reads the counters; anywhere.
func (c *Core) Stats() Stats {
	st := Stats{RefusedBy: c.rules.counts()}
	n := &c.counters
	for i := range n.messages {
		st.Messages[i] = n.messages[i].Load()
	}
	for i := range n.inState {
		st.InState[i] = n.inState[i].Load()
		st.OutOfPlace[i] = n.outOfPlace[i].Load()
		st.Expired[i] = n.expired[i].Load()
	}
	for i := range n.signals {
		st.Signals[i] = n.signals[i].Load()
	}
	for i := range n.refused {
		st.Refused[i] = n.refused[i].Load()
	}
	st.SignalLoops, st.StoreErrors, st.AuthErrors = n.signalLoops.Load(), n.storeErrors.Load(), n.authErrors.Load()
	st.JobsRefused, st.OpsRefused, st.Panics = n.jobsRefused.Load(), n.opsRefused.Load(), n.panics.Load()
	for i := range n.moves {
		st.Moves[i] = n.moves[i].Load()
	}
	st.MovesIn, st.MovesOut, st.Pushed = n.movesIn.Load(), n.movesOut.Load(), n.pushed.Load()
	for i := range n.selectRefused {
		st.SelectRefused[i] = n.selectRefused[i].Load()
	}
	for i := range n.updateFailures {
		st.UpdateFailures[i] = n.updateFailures[i].Load()
	}
	st.Updating, st.Waiting = n.updating.Load(), n.waiting.Load()
	st.Natives, st.Maintenance = n.natives.Load(), n.maintenance.Load()
	st.Stale, st.NotesDropped = n.stale.Load(), n.notesDropped.Load()
	st.Keys, st.Stock = n.keys.Load(), n.stock.Load()
	st.BansLoaded, st.Bans, st.BansDamaged = n.bansLoaded.Load(), n.bans.Load(), n.bansDamaged.Load()
	st.Settled = n.settled.Load()
	return st
}

// publish updates the gauges that are not counted as they change.
func (c *Core) publish() {
	c.counters.keys.Store(int64(c.keys.len()))
	c.counters.stale.Store(c.ports.Region.Stale())
	c.counters.natives.Store(int64(c.push.clients()))
	sending, waiting := c.updates.figures()
	c.counters.updating.Store(int64(sending))
	c.counters.waiting.Store(int64(waiting))
	c.counters.maintenance.Store(c.service.maintenance)
	c.counters.stock.Store(int64(c.pool.len()))
	c.counters.lastTick.Store(c.now)
	c.counters.overdue.Store(int64(c.timers.waiting()))
}

// LastTick is the time of the last tick taken, by the clock that deadlines count
// by: when it is far behind, the logic does not keep up, or hangs. Anywhere.
func (n *counters) LastTick() int64 { return n.lastTick.Load() }

// Pace returns how long after a tick the next one should come: PaceEvery while there
// are sessions to be ended, TickEvery else. Anywhere.
func (n *counters) Pace() time.Duration {
	if n.overdue.Load() > 0 || n.inState[StateReclaiming].Load() > 0 {
		return PaceEvery
	}
	return TickEvery
}

// Moving tells whether keys are on their way; anywhere.
func (n *counters) Moving() bool { return n.moving.Load() > 0 }

// The arrays of Stats, each with the names of its indexes. An index that stands for no
// event has none.
type (
	kindCounts    [codec.KindCount]uint64
	stateGauges   [StateCount]int64
	stateCounts   [StateCount]uint64
	signalCounts  [SignalKindCount]uint64
	resultCounts  [codec.ResultCount]uint64
	outcomeCounts [worlds.OutcomeKindCount]uint64
	selectCounts  [codec.SelectReasonCount]uint64
	updateCounts  [codec.TransferEndCount]uint64
)

func (kindCounts) Label(i int) string {
	return from(i, int(codec.KindOpened), codec.Kind(i).String())
}
func (stateGauges) Label(i int) string  { return StateID(i).String() }
func (stateCounts) Label(i int) string  { return StateID(i).String() }
func (signalCounts) Label(i int) string { return SignalKind(i).String() }
func (resultCounts) Label(i int) string {
	return from(i, int(codec.ResultOK)+1, codec.Result(i).String())
}
func (outcomeCounts) Label(i int) string {
	return from(i, int(worlds.OutcomeTaken), worlds.OutcomeKind(i).String())
}
func (selectCounts) Label(i int) string {
	return from(i, int(codec.SelectUnknown), codec.SelectReason(i).String())
}
func (updateCounts) Label(i int) string {
	return from(i, int(codec.TransferDone)+1, codec.TransferEnd(i).String())
}

// from returns the name of an index from first on, and nothing below it.
func from(i, first int, name string) string {
	if i < first {
		return ""
	}
	return name
}
