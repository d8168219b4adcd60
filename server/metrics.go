package server

import (
	"gatepass/codec"
	"gatepass/counters"
	"gatepass/queue"
)

// Counts are the counters of one reactor since it started, or the sum of all reactors. A
// reactor adds to its own counters; any goroutine may read them with counters.Sum. To count
// something more, add a field.
type Counts struct {
	Accepted counters.Counter `metric:"connections_accepted_total" help:"Client connections taken."`
	// The Refused… connections are closed at once: at the connection cap, while draining, and
	// when the inbox has no room.
	RefusedFull     counters.Counter `metric:"connections_refused_total,reason=full" help:"Client connections closed at once, by reason."`
	RefusedDraining counters.Counter `metric:"connections_refused_total,reason=draining" help:"Client connections closed at once, by reason."`
	RefusedOverload counters.Counter `metric:"connections_refused_total,reason=overload" help:"Client connections closed at once, by reason."`
	Closed          closedCounts     `metric:"connections_closed_total,reason" help:"Client connections closed, by reason."`
	// Forged counts violations with codec.Violation.Forged.
	Forged   counters.Counter `metric:"connections_forged_total" help:"Connections closed because a sealed frame was changed, cut, repeated or reordered on its way."`
	Messages counters.Counter `metric:"reactor_messages_total" help:"Messages decoded by the reactors."`
	Stalls   counters.Counter `metric:"reactor_stalls_total" help:"Messages that waited for room in the inbox."`
	Panics   counters.Counter `metric:"reactor_panics_total" help:"Panics that cost one connection."`
	BytesIn  counters.Counter `metric:"reactor_read_bytes_total" help:"Bytes of decoded messages."`
	BytesOut counters.Counter `metric:"reactor_written_bytes_total" help:"Bytes written to clients."`
	Batches  counters.Counter `metric:"reactor_batches_total" help:"Batches taken from the sender."`
	Writes   counters.Counter `metric:"reactor_writes_total" help:"Write calls for those batches."`
	// DeadHandles are not errors: a client may leave while its reply is on its way.
	DeadHandles counters.Counter `metric:"reactor_dead_handles_total" help:"Replies to connections that were gone."`
	// EncodeErrors are bugs of the server.
	EncodeErrors counters.Counter `metric:"reactor_encode_errors_total" help:"Replies that could not be encoded."`

	Transfers counters.Counter `metric:"transfers_started_total" help:"Files that began to be sent."`
	// TransfersEnded are transfers that ended while their connection stayed open. The other
	// transfers ended with their connection.
	TransfersEnded endedCounts `metric:"transfers_ended_total,end" help:"Files that were sent, or could not be, by how that ended."`
	// TransfersMisplaced are transfers for a connection that already had one or cannot carry
	// one. Their connections are closed.
	TransfersMisplaced counters.Counter `metric:"transfers_misplaced_total" help:"Files that were to be sent where none could be: faults of ours."`
	TransfersStalled   counters.Counter `metric:"transfers_stalled_total" help:"Connections closed because their client took nothing of its file for too long."`
	TransferBytes      counters.Counter `metric:"transfer_bytes_total" help:"Bytes of files sent, frames not counted."`
	TransferTurns      counters.Counter `metric:"transfer_turns_total" help:"Stretches of files written."`
	TransferCuts       counters.Counter `metric:"transfer_cuts_total" help:"Those of which the socket did not take all."`
	// TransferWaits are waits for a client's rate and, in Stats, also for the server's rate.
	TransferWaits counters.Counter `metric:"transfer_waits_total" help:"Times that files waited for a rate."`
	// TransferReadAgain counts the bytes of files that were read but not taken by the socket,
	// and so have to be read again.
	TransferReadAgain counters.Counter
}

// closedCounts are indexed by codec.CloseReason.
type closedCounts [codec.CloseReasonCount]counters.Counter

func (closedCounts) Label(i int) string { return codec.CloseReason(i).String() }

// endedCounts are indexed by codec.TransferEnd.
type endedCounts [codec.TransferEndCount]counters.Counter

func (endedCounts) Label(i int) string { return codec.TransferEnd(i).String() }

// reactorCounts are the counters of one reactor.
type reactorCounts struct {
	Counts

	_ [64]byte // keeps the next reactor's counters off this cache line
}

// Stats are a server's counters since it started, and its current state.
type Stats struct {
	Counts

	Conns    int `metric:"connections" help:"Open client connections."`
	MaxConns int `metric:"connections_max" help:"Client connections there may be."`
	// AcceptFailures come from a lack of file descriptors or memory.
	AcceptFailures   uint64 `metric:"connections_accept_failures_total" help:"Accepts of client connections that failed, for want of file descriptors or memory. The clients wait."`
	CannotAccept     bool   `metric:"connections_cannot_accept" help:"1 while client connections cannot be accepted."`
	StaleEvents      uint64 `metric:"connections_stale_events_total" help:"Events of connections that had been closed in the same round."`
	TransfersRunning int    `metric:"transfers" help:"Files on their way to clients."`
	SendQueued       int    `metric:"send_queue_length" help:"Replies that no reactor has taken yet."`
	SendRefused      uint64 `metric:"send_queue_refused_total" help:"Replies that found no room."`
	Sender           queue.ConsumerStats
}

// Stats returns the current counters. Anywhere.
func (s *Server) Stats() Stats {
	st := Stats{Conns: int(s.conns.Load()), MaxConns: s.options.MaxConns}
	for _, r := range s.reactors {
		counters.Sum(&st.Counts, &r.count.Counts)
	}
	st.AcceptFailures, st.CannotAccept = s.accepts.failures.Load(), s.accepts.now()
	st.StaleEvents = s.stale.Load()
	st.TransfersRunning = int(s.pump.running.Load())
	st.TransferWaits += counters.Counter(s.pump.dryWaits.Load())
	st.SendQueued, st.SendRefused = int(s.sender.handed.Load()), s.sender.refused.Load()
	st.Sender = s.sender.consumer.Stats()
	return st
}
