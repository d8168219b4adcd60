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

// pebbleFormat is the newest on-disk format of Pebble that is made use of. It is
// raised on purpose, with a release of Pebble, and never lowered.
const pebbleFormat = pebble.FormatValueSeparation

// Sizes that Pebble is given.
const (
	memTableBytes = 16 << 20
	bloomBits     = 10 // a key; 1 % of the lookups in vain go on to a block
	maxOpenFiles  = 256
)

// Pebble is a Store in a folder, made of one Pebble database. See doc.go for its
// goroutines and DESIGN.md for why it is as it is.
type Store struct {
	// Static after Open.
	options *Options
	db      *pebble.DB
	fuse    *fuse
	lock    *pebble.Lock
	secret  [32]byte
	reader  *reader
	writer  *writer // nil if opened for reading only

	// Close
	closing  chan struct{} // closed when Close begins
	watched  sync.WaitGroup
	once     sync.Once
	closeErr error // guarded by once
}

var _ storage.Store = (*Store)(nil)

// pebbleOptions: everything not named here is Pebble's default.
func pebbleOptions(o *Options, f *fuse) *pebble.Options {
	log := pebbleLogger{log: o.Logger, fuse: f}
	p := &pebble.Options{
		FS:                 f,
		ReadOnly:           o.ReadOnly,
		FormatMajorVersion: pebbleFormat,
		CacheSize:          o.CacheBytes,
		MemTableSize:       o.memTableBytes,
		MaxOpenFiles:       maxOpenFiles,
		Logger:             log,
		EventListener:      log.listener(),
		// A writer stalled inside Pebble could not be woken when the disk fails
		// meanwhile. So Pebble never stalls; see DESIGN.md for what bounds memory.
		MemTableStopWritesThreshold: math.MaxInt32,
		L0StopWritesThreshold:       math.MaxInt32,
	}
	// Pebble's Get leaves the filters of the last level unread, so none are
	// written there. That keeps unknown names as dear as known ones.
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

// Close implements Store. It reports the failure that stopped the writes, if
// there was one. Any goroutine but the store's own.
func (p *Store) Close() error {
	p.once.Do(func() { p.closeErr = p.close() })
	return p.closeErr
}

func (p *Store) close() error {
	// Both queues first: from here on nothing new is taken.
	p.reader.queue.close()
	if p.writer != nil {
		p.writer.queue.close()
		p.writer.stop()
	}
	p.reader.stop()
	close(p.closing)
	p.watched.Wait()
	// Only now may tables fail: with the fuse blown Pebble would try them again
	// and again until it is closed.
	p.fuse.release()
	err := p.db.Close()
	if cause := p.fuse.failure(); cause != nil {
		err = cause
	} else if err == nil && p.writer != nil {
		err = p.sealHead()
	}
	// Last, so that nobody opens the store while its head is written.
	err = errors.Join(err, p.fuse.keeper.close(), p.lock.Close())
	if err != nil {
		return fmt.Errorf("storage: closing: %w", err)
	}
	return nil
}

// sealHead notes in the head that the store was closed. A file that Pebble should
// have removed and did not leaves it as after a crash.
func (p *Store) sealHead() error {
	s := survey{options: p.options, disk: p.options.FS, dir: p.options.Dir}
	if err := s.list(); err != nil {
		return err
	}
	if err := s.openManifest(); err != nil || !s.tidy() {
		return err
	}
	_ = p.fuse.change(func() error { return p.fuse.keeper.become(stateClosed) })
	return p.fuse.failure()
}

// watch tells of the failure even when no write is under way.
func (p *Store) watch(onFatal func(error)) {
	select {
	case <-p.fuse.blown:
		onFatal(p.fuse.failure())
	case <-p.closing:
	}
}

// class says who serves a request.
type class uint8

const (
	// classWrite is done by the writer, and somebody waits for it.
	classWrite class = iota
	// classNote is done by the writer when it suits.
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

// sameClass is the longest beginning of ops that goes to one queue in one go.
func sameClass(ops []storage.Op) []storage.Op {
	c := classOf(&ops[0])
	for i := range ops {
		if classOf(&ops[i]) != c {
			return ops[:i]
		}
	}
	return ops
}

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
