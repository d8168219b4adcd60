package client

import (
	"sync"
	"time"
)

// MaxEvents is how many events wait for a reader of Session.Events. When there are more, the
// oldest is dropped and counted (Session.DroppedEvents), because a game that reads late
// needs the latest ones.
const MaxEvents = 64

// Event is a value from Session.Events: one of the types of this file.
type Event interface{ event() }

// Notice is an operator's text for players, unchanged.
type Notice struct{ Text string }

// QueuePosition is the player's position in the queue of a world; 1 is next.
type QueuePosition struct {
	World    uint8
	Position int
}

// Entered says that the player is in the world.
type Entered struct{ World uint8 }

// PassExpired says that the pass for the world has expired without use.
type PassExpired struct{ World uint8 }

// GoingAway says that the server will shut down soon. The session reconnects by itself after
// the given time.
type GoingAway struct{ After time.Duration }

// Kicked says that the server has ended the session for good; Session.Err has the
// same reason.
type Kicked struct{ Reason *RefusedError }

// Disconnected says that the connection to the login server was lost, and when the session
// tries to reconnect. It is also sent for each failed attempt. Held says that the session
// waits until the player has left the world.
type Disconnected struct {
	Reason error
	Retry  time.Duration
	Held   bool
}

// Reconnected says that the session is signed in again. An earlier pass has ended.
type Reconnected struct{}

func (Notice) event()        {}
func (QueuePosition) event() {}
func (Entered) event()       {}
func (PassExpired) event()   {}
func (GoingAway) event()     {}
func (Kicked) event()        {}
func (Disconnected) event()  {}
func (Reconnected) event()   {}

// events is a bounded channel that drops its oldest event when it is full.
type events struct {
	ch chan Event

	mu      sync.Mutex
	closed  bool
	dropped uint64
}

func newEvents() *events { return &events{ch: make(chan Event, MaxEvents)} }

// push adds an event without waiting. Any goroutine may call it, also after close.
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
		default: // a reader has taken it
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
