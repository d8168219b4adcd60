package storage

import "time"

// Stats is a snapshot of what a store has done since it was opened.
type Stats struct {
	ReadQueue  int    `metric:"storage_read_queue_length" help:"Reads taken and not yet answered."`
	WriteQueue int    `metric:"storage_write_queue_length" help:"Writes taken and not yet answered."`
	Reads      uint64 `metric:"storage_reads_total" help:"Reads answered."`
	// Writes/Groups is the mean size of a group.
	Writes uint64 `metric:"storage_writes_total" help:"Writes applied."`
	Groups uint64 `metric:"storage_groups_total" help:"Groups in which writes were applied."`
	Syncs  uint64 `metric:"storage_syncs_total" help:"Groups that were synced."`
	// SyncTotal is the sum of the times of all syncs, SyncLast the last of them.
	SyncTotal time.Duration `metric:"storage_sync_seconds_total" help:"Time from applying a group to having it on disk."`
	SyncLast  time.Duration
	// The Refused… were not taken because the queue was full or the store closed.
	RefusedReads  uint64 `metric:"storage_refused_reads_total" help:"Reads for which there was no room."`
	RefusedWrites uint64 `metric:"storage_refused_writes_total" help:"Writes for which there was no room."`
	// Failed is set while no writes are taken because one has failed.
	Failed       bool   `metric:"storage_failed" help:"1 while the disk refuses writes: the store is read-only."`
	NotesDropped uint64 `metric:"storage_notes_dropped_total" help:"Records of logins and character counts that were not stored because the disk refused writes."`
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
