package server

import (
	"sync/atomic"

	"gatepass/codec"
	"gatepass/queue"
)

// counters are one reactor's. The reactor adds, anyone reads.
type counters struct {
	accepted        atomic.Uint64
	refusedFull     atomic.Uint64
	refusedDraining atomic.Uint64
	refusedOverload atomic.Uint64
	messages        atomic.Uint64
	stalls          atomic.Uint64
	panics          atomic.Uint64
	bytesIn         atomic.Uint64
	bytesOut        atomic.Uint64
	batches         atomic.Uint64
	writes          atomic.Uint64
	deadHandles     atomic.Uint64
	encodeErrors    atomic.Uint64
	forged          atomic.Uint64
	closed          [codec.CloseReasonCount]atomic.Uint64
	// of transfers
	transfers  atomic.Uint64
	misplaced  atomic.Uint64
	ended      [codec.TransferEndCount]atomic.Uint64
	stalledOut atomic.Uint64
	fileBytes  atomic.Uint64
	turns      atomic.Uint64
	cutTurns   atomic.Uint64
	readAgain  atomic.Uint64
	tokenWaits atomic.Uint64

	_ [64]byte // keeps the next reactor's counters off this cache line
}

// Stats counts what a server did since it started. The fields are sums over all
// reactors.
type Stats struct {
	// Conns is how many connections are open, MaxConns how many may be.
	Conns, MaxConns int
	// Accepted counts connections taken; the Refused… those closed at once:
	// at the connection cap, while draining, and for want of room in the inbox.
	Accepted, RefusedFull, RefusedDraining, RefusedOverload uint64
	// AcceptFailures counts connections that could not be accepted, for want of file
	// descriptors or memory; they wait. CannotAccept tells that it is so now.
	AcceptFailures uint64
	CannotAccept   bool
	// StaleEvents counts events of connections that were closed in the same round.
	StaleEvents uint64
	// Messages counts decoded messages, Stalls those that had to wait for room.
	Messages, Stalls uint64
	// Panics counts faults of ours that cost a connection.
	Panics            uint64
	BytesIn, BytesOut uint64
	// Batches counts hand-overs from the sender to a reactor, Writes the system
	// calls that wrote them.
	Batches, Writes uint64
	// DeadHandles counts replies to connections that were gone.
	DeadHandles uint64
	// EncodeErrors counts replies that had no bytes: bugs of ours.
	EncodeErrors uint64
	// Forged counts connections closed because what came was not what the client had
	// said (codec.Violation).
	Forged uint64
	// Closed counts closed connections by codec.CloseReason.
	Closed [codec.CloseReasonCount]uint64
	// TransfersRunning is how many files are on their way; Transfers counts those that
	// began, TransfersEnded those that ended and left their connection, by
	// codec.TransferEnd. The others ended with their connection.
	TransfersRunning int
	Transfers        uint64
	TransfersEnded   [codec.TransferEndCount]uint64
	// TransfersMisplaced counts those that were to begin on a connection that had one or
	// cannot carry one: bugs of ours, which cost the connection.
	TransfersMisplaced uint64
	// TransfersStalled counts connections closed because their client took nothing of a
	// file for too long.
	TransfersStalled uint64
	// TransferBytes counts the bytes of files that were sent, frames not included.
	TransferBytes uint64
	// TransferReadAgain counts the bytes of files that were read and not taken by the
	// socket, so that they had to be read again.
	TransferReadAgain uint64
	// TransferTurns counts the turns that were written, TransferCuts those of which the
	// socket did not take all, TransferWaits how often a stream waited for its client's
	// rate or all for the server's.
	TransferTurns, TransferCuts, TransferWaits uint64
	// SendQueued is how many replies no reactor has taken yet, SendRefused how
	// many found no room.
	SendQueued  int
	SendRefused uint64
	Sender      queue.ConsumerStats
}

// Stats reads the counters; anywhere.
func (s *Server) Stats() Stats {
	st := Stats{Conns: int(s.conns.Load()), MaxConns: s.options.MaxConns}
	for _, r := range s.reactors {
		r.count.addTo(&st)
	}
	st.AcceptFailures, st.CannotAccept = s.accepts.failures.Load(), s.accepts.now()
	st.StaleEvents = s.stale.Load()
	st.TransfersRunning = int(s.pump.running.Load())
	st.TransferWaits += s.pump.dryWaits.Load()
	st.SendQueued, st.SendRefused = int(s.sender.handed.Load()), s.sender.refused.Load()
	st.Sender = s.sender.consumer.Stats()
	return st
}

func (c *counters) addTo(st *Stats) {
	st.Accepted += c.accepted.Load()
	st.RefusedFull += c.refusedFull.Load()
	st.RefusedDraining += c.refusedDraining.Load()
	st.RefusedOverload += c.refusedOverload.Load()
	st.Messages += c.messages.Load()
	st.Stalls += c.stalls.Load()
	st.Panics += c.panics.Load()
	st.BytesIn += c.bytesIn.Load()
	st.BytesOut += c.bytesOut.Load()
	st.Batches += c.batches.Load()
	st.Writes += c.writes.Load()
	st.DeadHandles += c.deadHandles.Load()
	st.EncodeErrors += c.encodeErrors.Load()
	st.Forged += c.forged.Load()
	for i := range c.closed {
		st.Closed[i] += c.closed[i].Load()
	}
	st.Transfers += c.transfers.Load()
	for i := range c.ended {
		st.TransfersEnded[i] += c.ended[i].Load()
	}
	st.TransfersMisplaced += c.misplaced.Load()
	st.TransfersStalled += c.stalledOut.Load()
	st.TransferBytes += c.fileBytes.Load()
	st.TransferReadAgain += c.readAgain.Load()
	st.TransferTurns += c.turns.Load()
	st.TransferCuts += c.cutTurns.Load()
	st.TransferWaits += c.tokenWaits.Load()
}
