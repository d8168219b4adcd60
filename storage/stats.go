package storage

import "time"

// Stats is a snapshot of what a store has done since it was opened.
type Stats struct {
	// ReadQueue and WriteQueue are requests taken and not yet answered.
	ReadQueue, WriteQueue int
	// Reads is how many reads were answered.
	Reads uint64
	// Groups is how many groups were applied, Writes how many requests they
	// held: Writes/Groups is the size of the mean group.
	Groups, Writes uint64
	// Syncs is how many groups were synced, SyncTotal the time from applying to
	// synced of all of them, SyncLast that of the last.
	Syncs               uint64
	SyncTotal, SyncLast time.Duration
	// RefusedReads and RefusedWrites were not taken, the queue being full or the
	// store closed.
	RefusedReads, RefusedWrites uint64
	// Failed tells that the disk refused and no write is taken: any more, or by a Steady
	// until it takes some again.
	Failed bool
	// NotesDropped counts notes of logins and characters that were not stored because
	// of that. A Steady counts them.
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
