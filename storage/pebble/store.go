package pebble

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"

	"gatepass/storage"
)

// pebbleFormat is the on-disk format that Pebble is asked for. It may be raised with a new
// release of Pebble and is never lowered.
const pebbleFormat = pebble.FormatValueSeparation

// Sizes that Pebble is given.
const (
	memTableBytes = 16 << 20
	bloomBits     = 10 // a key; 1 % of the lookups of missing keys read a block
	maxOpenFiles  = 256
)

// Store is a storage.Store in a folder, made of one Pebble database. doc.go describes its
// goroutines, DESIGN.md its decisions.
type Store struct {
	// Static after Open.
	options  *Options
	db       *pebble.DB
	failStop *failStop
	lock     *pebble.Lock
	secret   [32]byte
	reader   *reader
	writer   *writer // nil if opened for reading only

	// Close
	closing  chan struct{} // closed when Close begins
	watched  sync.WaitGroup
	once     sync.Once
	closeErr error // guarded by once
}

var _ storage.Store = (*Store)(nil)

// pebbleOptions returns Pebble's options. Those not named here are Pebble's defaults.
func pebbleOptions(o *Options, f *failStop) *pebble.Options {
	log := pebbleLogger{log: o.Logger, failStop: f}
	p := &pebble.Options{
		FS:                 f,
		ReadOnly:           o.ReadOnly,
		FormatMajorVersion: pebbleFormat,
		CacheSize:          o.CacheBytes,
		MemTableSize:       o.memTableBytes,
		MaxOpenFiles:       maxOpenFiles,
		Logger:             log,
		EventListener:      log.listener(),
		// Pebble must never stall a writer, which could not be woken if the disk failed
		// meanwhile. DESIGN.md says what bounds the memory instead.
		MemTableStopWritesThreshold: math.MaxInt32,
		L0StopWritesThreshold:       math.MaxInt32,
	}
	// Pebble's Get does not read the filters of the last level, so none are written
	// there. A lookup then costs the same for unknown names (no timing difference).
	for i := range p.Levels {
		p.Levels[i].FilterPolicy = bloom.FilterPolicy(bloomBits)
	}
	p.Levels[len(p.Levels)-1].FilterPolicy = pebble.NoFilterPolicy
	return p
}

// Submit implements Store.
func (p *Store) Submit(ops []storage.Op) int {
	taken := 0
	for taken < len(ops) {
		run := sameClass(ops[taken:])
		var n int
		switch class := classOf(&run[0]); {
		case class == classRead || p.writer == nil: // a reader refuses changes
			n, _ = p.reader.queue.push(run, true)
		case class == classNote:
			n = p.writer.note(run)
		default:
			n, _ = p.writer.queue.push(run, true)
		}
		taken += n
		if n < len(run) {
			break
		}
	}
	return taken
}

// Secret implements Store.
func (p *Store) Secret() [32]byte { return p.secret }

// Close implements Store. It returns the failure that stopped the writes, if there was
// one. Any goroutine except those of the store.
func (p *Store) Close() error {
	p.once.Do(func() { p.closeErr = p.close() })
	return p.closeErr
}

func (p *Store) close() error {
	// Both queues first, so that nothing new is taken.
	p.reader.queue.close()
	if p.writer != nil {
		p.writer.queue.close()
		p.writer.stop()
	}
	p.reader.stop()
	close(p.closing)
	p.watched.Wait()
	// Tables may fail only now: after a failure Pebble would retry them without end until
	// it is closed.
	p.failStop.release()
	err := p.db.Close()
	if cause := p.failStop.failure(); cause != nil {
		err = cause
	} else if err == nil && p.writer != nil {
		err = p.sealHead()
	}
	// Last, so that no other process opens the store while its head is written.
	err = errors.Join(err, p.failStop.keeper.close(), p.lock.Close())
	if err != nil {
		return fmt.Errorf("storage: closing: %w", err)
	}
	return nil
}

// sealHead notes in the head that the store was closed. If files remain that Pebble should
// have removed, the head stays as after a crash.
func (p *Store) sealHead() error {
	s := survey{options: p.options, disk: p.options.FS, dir: p.options.Dir}
	if err := s.list(); err != nil {
		return err
	}
	if err := s.openManifest(); err != nil || !s.tidy() {
		return err
	}
	_ = p.failStop.change(func() error { return p.failStop.keeper.become(stateClosed) })
	return p.failStop.failure()
}

// watch reports a failure even if no write is in progress.
func (p *Store) watch(onFatal func(error)) {
	select {
	case <-p.failStop.failed:
		onFatal(p.failStop.failure())
	case <-p.closing:
	}
}

// class says which goroutine serves a request.
type class uint8

const (
	// classWrite is done by the writer; its result waits for the fsync.
	classWrite class = iota
	// classNote is done by the writer; its result does not wait for the fsync.
	classNote
	// classRead is done by a reader.
	classRead
)

func classOf(op *storage.Op) class {
	switch {
	case op.Kind.IsRead():
		return classRead
	case op.Kind.IsNote() && !op.Synced:
		return classNote
	}
	return classWrite
}

// sameClass returns the longest prefix of ops of one class.
func sameClass(ops []storage.Op) []storage.Op {
	c := classOf(&ops[0])
	for i := range ops {
		if classOf(&ops[i]) != c {
			return ops[:i]
		}
	}
	return ops
}

// Stats counts what the store has done. Any goroutine, also after Close.
func (p *Store) Stats() storage.Stats {
	var s storage.Stats
	if p.writer != nil {
		s = p.writer.stats.snapshot()
		s.WriteQueue, s.RefusedWrites = p.writer.queue.depth()
	}
	s.Reads = p.reader.done.Load()
	s.ReadQueue, s.RefusedReads = p.reader.queue.depth()
	s.Failed = p.failStop.failure() != nil
	return s
}

// writerStats are written by the writer's goroutines and read by any.
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

// ReadsIdle reports whether every read taken has been answered. Any goroutine.
func (p *Store) ReadsIdle() bool {
	pending, _ := p.reader.queue.depth()
	return pending == 0
}
