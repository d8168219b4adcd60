package client

import (
	"sync"
	"time"
)

// MaxEvents is how many events wait for a reader of Session.Events. When more come
// the oldest is dropped and counted (Session.DroppedEvents): a game that reads late
// wants what is true now.
const MaxEvents = 64

// Event is what a Session tells through Events: one of the types of this file.
type Event interface{ event() }

// Notice is text of an operator for players, as it came.
type Notice struct{ Text string }

// QueuePosition is how far the player is in the queue of a world; 1 is next.
type QueuePosition struct {
	World    uint8
	Position int
}

// Entered says that the player is in the world.
type Entered struct{ World uint8 }

// PassExpired says that the pass for the world is over, unused.
type PassExpired struct{ World uint8 }

// GoingAway says that the server ends soon. The session comes back after the time
// told, by itself.
type GoingAway struct{ After time.Duration }

// Kicked says that the server has ended the session for good; Session.Err has the
// same reason.
type Kicked struct{ Reason *RefusedError }

// Disconnected says that the connection to the login server is lost and when it is
// tried again. It comes once for each failed try too. Held is set when that waits
// for the player to leave the world.
type Disconnected struct {
	Reason error
	Retry  time.Duration
	Held   bool
}

// Reconnected says that the session is signed in again. The pass that there was is over.
type Reconnected struct{}

func (Notice) event()        {}
func (QueuePosition) event() {}
func (Entered) event()       {}
func (PassExpired) event()   {}
func (GoingAway) event()     {}
func (Kicked) event()        {}
func (Disconnected) event()  {}
func (Reconnected) event()   {}

// events is a bounded channel that loses its oldest.
type events struct {
	ch chan Event

	mu      sync.Mutex
	closed  bool
	dropped uint64
}

func newEvents() *events { return &events{ch: make(chan Event, MaxEvents)} }

// push never waits. It may be called from anywhere, also after close.
func (e *events) push(ev Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for !e.closed {
		select {
		case e.ch <- ev:
			return
		default:
		}
		select {
		case <-e.ch:
			e.dropped++
		default: // a reader was quicker
		}
	}
}

func (e *events) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.closed = true
		close(e.ch)
	}
}

func (e *events) lost() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.dropped
}
