package storage

import (
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
)

// Errors of Open.
var (
	// ErrLocked: another process (or another store of this one) has the folder
	// open. For a tool it means: a server is running, talk to that.
	ErrLocked = errors.New("the folder is in use by a running server")
	// ErrFormat: the folder was written by a later version of this program.
	ErrFormat = errors.New("storage: format from the future")
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
type Pebble struct {
	// Static after Open.
	db     *pebble.DB
	fuse   *fuse
	secret [32]byte
	reader *reader
	writer *writer

	// Close
	closing  chan struct{} // closed when Close begins
	watched  sync.WaitGroup
	once     sync.Once
	closeErr error // guarded by once
}

var _ Store = (*Pebble)(nil)

// Open opens the store in o.Dir, or makes one. It fails with ErrLocked, with
// ErrFormat, or with what the disk says.
func Open(o Options) (*Pebble, error) {
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	f := newFuse(o.FS)
	db, err := openDB(&o, f)
	if err != nil {
		return nil, err
	}
	secret, err := prepare(db, f, &o)
	if err != nil {
		f.release()
		return nil, errors.Join(err, db.Close())
	}
	p := &Pebble{db: db, fuse: f, secret: secret, closing: make(chan struct{})}
	p.reader = startReader(p.db, &o)
	p.writer = startWriter(p.db, f, &o)
	p.watched.Go(func() { p.watch(o.OnFatal) })
	return p, nil
}

// openDB opens Pebble. Once it returns, tables no longer vanish in a blown fuse.
func openDB(o *Options, f *fuse) (*pebble.DB, error) {
	defer f.opening.Store(false)
	db, err := pebble.Open(o.Dir, pebbleOptions(o, f))
	if cause := f.failure(); cause != nil && err == nil {
		f.release()
		err = errors.Join(cause, db.Close())
	} else if cause != nil {
		err = cause // what Pebble stumbled over only follows from it
	}
	if errors.Is(err, ErrLocked) {
		return nil, err // names the folder already
	}
	if err != nil {
		return nil, fmt.Errorf("storage: %s: %w", o.Dir, err)
	}
	return db, nil
}

// prepare brings a freshly opened database to the newest format.
func prepare(db *pebble.DB, f *fuse, o *Options) (secret [32]byte, err error) {
	if err := migrate(db, f, formatSteps(), o.Random); err != nil {
		return secret, err
	}
	return readSecret(db)
}

// pebbleOptions: everything not named here is Pebble's default.
func pebbleOptions(o *Options, f *fuse) *pebble.Options {
	log := pebbleLogger{log: o.Logger, fuse: f}
	p := &pebble.Options{
		FS:                 f,
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
func (p *Pebble) Submit(ops []Op) int {
	taken := 0
	for taken < len(ops) {
		run := sameClass(ops[taken:])
		var n int
		switch classOf(&run[0]) {
		case classRead:
			n, _ = p.reader.queue.push(run, true)
		case classNote:
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
func (p *Pebble) Secret() [32]byte { return p.secret }

// Close implements Store. It reports the failure that stopped the writes, if
// there was one. Any goroutine but the store's own.
func (p *Pebble) Close() error {
	p.once.Do(func() { p.closeErr = p.close() })
	return p.closeErr
}

func (p *Pebble) close() error {
	// Both queues first: from here on nothing new is taken.
	p.reader.queue.close()
	p.writer.queue.close()
	p.writer.stop()
	p.reader.stop()
	close(p.closing)
	p.watched.Wait()
	// Only now may tables fail: with the fuse blown Pebble would try them again
	// and again until it is closed.
	p.fuse.release()
	err := p.db.Close()
	if cause := p.fuse.failure(); cause != nil {
		return cause
	}
	if err != nil {
		return fmt.Errorf("storage: closing: %w", err)
	}
	return nil
}

// watch tells of the failure even when no write is under way.
func (p *Pebble) watch(onFatal func(error)) {
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

func classOf(op *Op) class {
	switch op.Kind {
	case OpGet, OpAddressBans, OpList, OpDevice, OpDevices:
		return classRead
	case OpLogin, OpLoginFailed, OpCharacters:
		if !op.Synced {
			return classNote
		}
	}
	return classWrite
}

// sameClass is the longest beginning of ops that goes to one queue in one go.
func sameClass(ops []Op) []Op {
	c := classOf(&ops[0])
	for i := range ops {
		if classOf(&ops[i]) != c {
			return ops[:i]
		}
	}
	return ops
}
