package storage

import (
	"sync/atomic"
	"time"
)

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

// Stats may be called from any goroutine, also after Close.
func (p *Pebble) Stats() Stats {
	var s Stats
	if p.writer != nil {
		s = p.writer.stats.snapshot()
		s.WriteQueue, s.RefusedWrites = p.writer.queue.depth()
	}
	s.Reads = p.reader.done.Load()
	s.ReadQueue, s.RefusedReads = p.reader.queue.depth()
	s.Failed = p.fuse.failure() != nil
	return s
}

// writerStats are counted by the writer's goroutines and read by any.
type writerStats struct {
	groups, writes             atomic.Uint64
	syncs, syncTotal, syncLast atomic.Uint64 // times in nanoseconds
}

func (s *writerStats) group(requests int) {
	s.groups.Add(1)
	s.writes.Add(uint64(requests))
}

func (s *writerStats) synced(took time.Duration) {
	s.syncs.Add(1)
	s.syncTotal.Add(uint64(took))
	s.syncLast.Store(uint64(took))
}

func (s *writerStats) snapshot() Stats {
	return Stats{
		Groups:    s.groups.Load(),
		Writes:    s.writes.Load(),
		Syncs:     s.syncs.Load(),
		SyncTotal: time.Duration(s.syncTotal.Load()),
		SyncLast:  time.Duration(s.syncLast.Load()),
	}
}

// ReadsIdle tells whether every read taken has been answered. Any goroutine.
func (p *Pebble) ReadsIdle() bool {
	pending, _ := p.reader.queue.depth()
	return pending == 0
}
