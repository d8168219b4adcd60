package storage

import "time"

// Stats is a snapshot of what a store has done since it was opened.
type Stats struct {
	// ReadQueue and WriteQueue count the requests taken and not yet answered.
	ReadQueue, WriteQueue int
	// Reads counts the reads answered.
	Reads uint64
	// Groups counts the groups applied, Writes the requests in them: Writes/Groups is the
	// mean size of a group.
	Groups, Writes uint64
	// Syncs counts the groups synced. SyncTotal is the sum of their times from applied to
	// synced, SyncLast the last of these times.
	Syncs               uint64
	SyncTotal, SyncLast time.Duration
	// RefusedReads and RefusedWrites count the requests that were not taken because the
	// queue was full or the store closed.
	RefusedReads, RefusedWrites uint64
	// Failed is set while no writes are taken because one has failed.
	Failed bool
	// NotesDropped counts the notes of logins and characters that were not stored because
	// of that.
	NotesDropped uint64
}

// Add adds what another store of the same accounts has done after s.
func (s *Stats) Add(o Stats) {
	s.ReadQueue += o.ReadQueue
	s.WriteQueue += o.WriteQueue
	s.Reads += o.Reads
	s.Groups += o.Groups
	s.Writes += o.Writes
	s.Syncs += o.Syncs
	s.SyncTotal += o.SyncTotal
	s.SyncLast = o.SyncLast
	s.RefusedReads += o.RefusedReads
	s.RefusedWrites += o.RefusedWrites
}
