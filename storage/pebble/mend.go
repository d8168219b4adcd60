package pebble

import (
	"fmt"
	"time"

	"gatepass/storage"
)

// run waits for failed writes and mends the store, until Close.
func (s *Steady) run() {
	if s.WriteTrouble() != nil { // since the start
		s.say()
		if !s.mend() {
			return
		}
	}
	for {
		select {
		case err := <-s.failures:
			s.mu.Lock()
			s.cause, s.since = err, time.Now()
			s.mu.Unlock()
			s.say()
			if !s.reopenForReading() || !s.mend() {
				return
			}
		case <-s.stop:
			return
		}
	}
}

func (s *Steady) say() {
	s.options.Logger.Error("the disk takes no writes: reads go on, changes are refused, and notes of logins are dropped; it is tried again",
		"error", s.WriteTrouble())
}

// mend opens the store for writing as soon as that is possible. It returns false if the
// store was closed or can no longer be read.
func (s *Steady) mend() bool {
	for wait := s.options.RetryEvery; ; {
		select {
		case <-time.After(wait):
		case <-s.stop:
			return false
		}
		if !hasRoom(s.options.FS, s.options.Dir) {
			continue
		}
		err := s.reopen(false)
		if err == nil {
			return true
		}
		s.options.Logger.Debug("the store cannot be opened for writing yet", "error", err)
		if !s.reopenForReading() {
			return false
		}
		wait = min(2*wait, retryMost)
	}
}

// reopenForReading opens the store for reading. It returns false if that is impossible or
// the store was closed.
func (s *Steady) reopenForReading() bool {
	for try := 1; ; try++ {
		err := s.reopen(true)
		if err == nil {
			return true
		}
		if try == 1 {
			s.options.Logger.Error("the store cannot be opened for reading: requests are refused; it is tried again", "error", err)
		}
		if try == openTries {
			s.options.OnFatal(fmt.Errorf("%w: it cannot be opened for reading either: %w", s.WriteTrouble(), err))
			return false
		}
		select {
		case <-time.After(openPause):
		case <-s.stop:
			return false
		}
	}
}

// reopen closes the store and opens it again. Requests are kept meanwhile. Called by run.
func (s *Steady) reopen(readOnly bool) error {
	s.mu.Lock()
	old := s.store
	s.store, s.opening = nil, true
	s.mu.Unlock()
	if old != nil {
		_ = old.Close() // its error is known already
		s.mu.Lock()
		s.before.Add(old.Stats())
		s.mu.Unlock()
	}
	store, err := s.open(readOnly)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store, s.opening, s.unread = store, false, nil
	if err != nil {
		s.unread = fmt.Errorf("%w: the store cannot be opened: %w", storage.ErrReadFailed, err)
	}
	if err == nil && !readOnly {
		s.options.Logger.Warn("the disk takes writes again", "after", time.Since(s.since).Round(time.Second).String(), "dropped", s.dropped.Load())
		s.cause = nil
	}
	s.submitHeldLocked(err != nil && !readOnly)
	return err
}

// submitHeldLocked submits the requests that were kept. If the store is opened again at
// once, it keeps them.
func (s *Steady) submitHeldLocked(again bool) {
	if again {
		s.opening = true
		return
	}
	ops := s.held
	s.held = nil
	taken := 0
	if s.cause == nil {
		taken = s.store.Submit(ops)
	} else {
		taken = s.submitReadsLocked(ops)
	}
	for i := range ops[taken:] { // the queue is full, and Submit has taken it already
		op := &ops[taken+i]
		s.refusal = append(s.refusal, refusalOf(op, noRoomFor(op)))
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
