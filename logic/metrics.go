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

// Stats counts what the logic did since it started, and what it holds now.
type Stats struct {
	// Messages counts what came, by kind.
	Messages [codec.KindCount]uint64
	// InState is how many sessions are in each state now.
	InState [StateCount]int64
	// OutOfPlace counts messages that the session's state did not take, Expired
	// sessions that were too long in a state.
	OutOfPlace, Expired [StateCount]uint64
	// Signals counts what has happened, by kind.
	Signals [SignalKindCount]uint64
	// Refused counts what clients were told.
	Refused [codec.ResultCount]uint64
	// RefusedBy counts refusals by rule.
	RefusedBy map[string]uint64
	// SignalLoops counts signals cut, StoreErrors and AuthErrors failed
	// requests, JobsRefused and OpsRefused requests for which a pool had no
	// room, Panics faults of ours that cost a session.
	SignalLoops, StoreErrors, AuthErrors, JobsRefused, OpsRefused, Panics uint64
	// MovesIn and MovesOut count messages about moves of keys, Moves how they came
	// out, by kind, Pushed lists sent unasked.
	MovesIn, MovesOut uint64
	Moves             [worlds.OutcomeKindCount]uint64
	Pushed            uint64
	// NotesDropped counts reports of characters for which there was no room.
	NotesDropped uint64
	// BansLoaded tells that the address bans have been read once; before, no client should
	// be let in. Bans is how many hold, BansDamaged how many could not be read.
	BansLoaded        bool
	Bans, BansDamaged int64
	// SelectRefused counts picks of native clients that came to no pass, by reason,
	// Natives how many native clients are in.
	SelectRefused [codec.SelectReasonCount]uint64
	Natives       int64
	// UpdateFailures counts updates that failed, by how they ended. Updating is how many
	// files are being sent, Waiting how many clients are in line for one.
	UpdateFailures    [codec.TransferEndCount]uint64
	Updating, Waiting int64
	// Maintenance says that logins are refused.
	Maintenance bool
	// Stale says that the list of worlds may be out of date.
	Stale bool
	// Keys is how many session keys are held, Stock how many ephemeral keys are
	// ready.
	Keys, Stock int64
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
