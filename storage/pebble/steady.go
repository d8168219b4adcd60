package pebble

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gatepass/storage"
)

const (
	// DefaultRetryEvery is how often a Steady tests whether its disk takes writes again.
	// After each failed attempt it waits twice as long, up to retryMost.
	DefaultRetryEvery = time.Second
	retryMost         = 30 * time.Second
	// openTries is how many attempts to open the store for reading, at intervals of
	// openPause, are made before OnFatal is called.
	openTries = 60
	openPause = 250 * time.Millisecond
)

// Steady is a store that survives a disk which refuses writes, such as a full one.
//
// When a write fails, it closes the store and opens it again for reading only. The disk
// then holds all acknowledged changes, and perhaps some of those in progress. Reads are
// answered. Changes get an ErrFailed that wraps the cause; notes (OpLogin,
// OpLoginFailed, OpCharacters) too, and they are counted. Once the disk has room and
// takes a write, the store is opened for writing again.
//
// Requests that come while the store is being opened are kept and answered afterwards.
// If it cannot be opened for reading either, reads get an ErrReadFailed.
type Steady struct {
	// Static after OpenSteady.
	options  Options // the caller's, but for Deliver
	deliver  func([]storage.Result)
	secret   [32]byte
	failures chan error    // one slot: what stopped the writes
	wake     chan struct{} // one slot: there are refusals to deliver
	stop     chan struct{}
	ended    sync.WaitGroup
	once     sync.Once
	closeErr error // guarded by once

	dropped atomic.Uint64

	mu      sync.Mutex       // guards all below
	store   *Store           // nil while it is being opened, or cannot be
	opening bool             // it is being opened: requests are kept
	cause   error            // why no changes are taken; nil while they are
	unread  error            // why nothing can be read, an ErrReadFailed; nil while there is a store
	since   time.Time        // of cause
	held    []storage.Op     // kept while opening. Invariant: at most QueueLimit
	refusal []storage.Result // to be delivered. Invariant: at most QueueLimit
	before  storage.Stats    // of the stores before this one
	closed  bool
}

var _ storage.Store = (*Steady)(nil)

// OpenSteady opens the store in o.Dir as Open does. If that fails because the disk is full
// or read-only, it opens an existing store for reading, as after a failed write. OnFatal
// is called when the store can no longer be read.
func OpenSteady(o Options) (*Steady, error) {
	o.EnsureDefaults()
	s := &Steady{
		deliver: o.Deliver, failures: make(chan error, 1), wake: make(chan struct{}, 1), stop: make(chan struct{}),
	}
	s.options = o
	store, err := s.open(false)
	if refusesWrites(err) {
		cause := err
		if store, err = s.open(true); errors.Is(err, storage.ErrNoStore) {
			return nil, cause
		}
		s.cause, s.since = fmt.Errorf("%w: %w", storage.ErrFailed, cause), time.Now()
	}
	if err != nil {
		return nil, err
	}
	s.store, s.secret = store, store.Secret()
	s.ended.Go(s.run)
	s.ended.Go(s.answer)
	return s, nil
}

// refusesWrites reports whether an error says that a disk is full or read-only. Other
// errors may mean that written data is lost.
func refusesWrites(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EROFS)
}

// open opens the underlying store.
func (s *Steady) open(readOnly bool) (*Store, error) {
	o := s.options
	o.ReadOnly = readOnly
	o.Deliver = s.count
	o.OnFatal = func(err error) {
		select {
		case s.failures <- err:
		default:
		}
	}
	return Open(o)
}

// count counts dropped notes and delivers the results. Called on several of the store's
// goroutines at once.
func (s *Steady) count(results []storage.Result) {
	for i := range results {
		if results[i].Kind.IsNote() && errors.Is(results[i].Err, storage.ErrFailed) {
			s.dropped.Add(1)
		}
	}
	s.deliver(results)
}

// Submit implements Store.
func (s *Steady) Submit(ops []storage.Op) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0
	}
	if s.store != nil && s.cause == nil {
		return s.store.Submit(ops)
	}
	if s.opening {
		n := min(len(ops), s.options.QueueLimit-len(s.held))
		s.held = append(s.held, ops[:n]...)
		return n
	}
	return s.submitReadsLocked(ops)
}

// submitReadsLocked submits reads if a store is open, and refuses everything else.
func (s *Steady) submitReadsLocked(ops []storage.Op) int {
	taken := 0
	for taken < len(ops) {
		run := sameClass(ops[taken:])
		var n int
		if s.store != nil && classOf(&run[0]) == classRead {
			n = s.store.Submit(run)
		} else {
			n = s.refuseLocked(run)
		}
		taken += n
		if n < len(run) {
			break
		}
	}
	return taken
}

// refuseLocked answers requests with the reason why they cannot be done. It takes as many
// as there is room for.
func (s *Steady) refuseLocked(ops []storage.Op) int {
	n := min(len(ops), s.options.QueueLimit-len(s.refusal))
	for i := range ops[:n] {
		err := s.cause
		if classOf(&ops[i]) == classRead {
			err = s.unread
		}
		s.refusal = append(s.refusal, refusalOf(&ops[i], err))
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return n
}

func refusalOf(op *storage.Op, err error) storage.Result {
	return storage.Result{Kind: op.Kind, Tag: op.Tag, Name: op.Name, Err: err}
}

// noRoomFor is the error of a request that was kept and then did not fit into the queue.
func noRoomFor(op *storage.Op) error {
	err := storage.ErrFailed
	if classOf(op) == classRead {
		err = storage.ErrReadFailed
	}
	return fmt.Errorf("%w: no room", err)
}

// answer delivers refusals until Close. Submit does not deliver them, since its caller may
// be the receiver.
func (s *Steady) answer() {
	for open := true; open; {
		select {
		case <-s.wake:
		case <-s.stop:
			open = false
		}
		s.mu.Lock()
		results := s.refusal
		s.refusal = nil
		s.mu.Unlock()
		if len(results) > 0 {
			s.count(results)
		}
	}
}

// Secret implements Store.
func (s *Steady) Secret() [32]byte { return s.secret }

// WriteTrouble implements storage.Served.
func (s *Steady) WriteTrouble() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}

// ReadTrouble implements storage.Served.
func (s *Steady) ReadTrouble() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.store != nil || s.opening {
		return nil
	}
	return s.unread
}

// ReadsIdle implements storage.Served.
func (s *Steady) ReadsIdle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.store != nil && s.store.ReadsIdle()
}

// Stats implements storage.Served. It adds up all the stores that the Steady has opened.
func (s *Steady) Stats() storage.Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.before
	if s.store != nil {
		st.Add(s.store.Stats())
	}
	st.Failed, st.NotesDropped = s.cause != nil, s.dropped.Load()
	return st
}

// Close implements Store. A failed write that the Steady survived is no error.
func (s *Steady) Close() error {
	s.once.Do(func() { s.closeErr = s.close() })
	return s.closeErr
}

func (s *Steady) close() error {
	close(s.stop)
	s.ended.Wait()
	s.mu.Lock()
	store, trouble := s.store, s.cause
	s.store, s.opening, s.closed = nil, false, true
	// Requests that were kept get an answer too.
	for i := range s.held {
		s.refusal = append(s.refusal, refusalOf(&s.held[i], storage.ErrClosed))
	}
	late := s.refusal
	s.held, s.refusal = nil, nil
	s.mu.Unlock()
	if len(late) > 0 {
		s.count(late)
	}
	if store == nil {
		return nil
	}
	err := store.Close()
	s.mu.Lock()
	s.before.Add(store.Stats())
	s.mu.Unlock()
	if trouble != nil {
		return nil
	}
	return err
}
