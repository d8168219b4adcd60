package storage

// add adds what another store of the same folder has done after s.
func (s *Stats) add(o Stats) {
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
