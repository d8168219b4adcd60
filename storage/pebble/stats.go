package pebble

import (
	"sync/atomic"
	"time"

	"gatepass/storage"
)

// Stats may be called from any goroutine, also after Close.
func (p *Store) Stats() storage.Stats {
	var s storage.Stats
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

func (s *writerStats) snapshot() storage.Stats {
	return storage.Stats{
		Groups:    s.groups.Load(),
		Writes:    s.writes.Load(),
		Syncs:     s.syncs.Load(),
		SyncTotal: time.Duration(s.syncTotal.Load()),
		SyncLast:  time.Duration(s.syncLast.Load()),
	}
}

// ReadsIdle tells whether every read taken has been answered. Any goroutine.
func (p *Store) ReadsIdle() bool {
	pending, _ := p.reader.queue.depth()
	return pending == 0
}
