package client

import (
	"context"
	"sync"
	"time"
)

// Session is the session of a player who is signed in.
type Session struct {
	// Static.
	o      *Options
	worlds *Worlds
	events *events
	gate   presence
	calls  chan func() // functions for run to call
	listed chan struct{}
	quit   chan struct{} // Close was called
	done   chan struct{} // run has returned
	// tokenFault is set before run begins.
	tokenFault error

	closing sync.Once
	err     error // the reason of the end; set before done is closed

	// Owned by run; during a sign-in by its goroutine, for which run waits.
	signer *signer
	// Owned by run.
	login    *login // nil while there is no connection
	pick     pick
	board    board
	remember *remembering // the request for a token that is under way; nil for none
	pings    uint64
	tries    int       // attempts to reconnect since the last lasting connection
	backAt   time.Time // the time to reconnect that GoingAway has given
	// signing says that the other goroutine signs in. behind is called after it.
	signing bool
	behind  []func()
}

func newSession(signer *signer) *Session {
	return &Session{
		o: signer.o, signer: signer, worlds: newWorlds(), events: newEvents(),
		calls: make(chan func()), listed: make(chan struct{}), quit: make(chan struct{}), done: make(chan struct{}),
	}
}

// Worlds returns the live list of worlds. It is always the same value and never nil. When
// Login returns, it has the first list.
func (s *Session) Worlds() *Worlds { return s.worlds }

// Events returns the channel of events. It is closed when the session has ended. MaxEvents
// says which events are dropped if nobody reads them.
func (s *Session) Events() <-chan Event { return s.events.ch }

// DroppedEvents returns how many events were dropped.
func (s *Session) DroppedEvents() uint64 { return s.events.lost() }

// Done is closed when the session has ended for good.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err returns the reason of the end: ErrClosed, a *RefusedError, ErrServerProof, ErrKDF,
// ErrNoCredentials or ErrNoCode. It returns nil before the end.
func (s *Session) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// TokenFault returns a *TokenError if Login could not use the device's token; nil if it
// could, or if there was none.
func (s *Session) TokenFault() error { return s.tokenFault }

// Close ends the session and returns when its goroutines have ended. Secrets are wiped; if a
// derivation of the password runs, they are wiped after it. Close does not end a Conn.
// Further calls do nothing.
func (s *Session) Close() error {
	s.closing.Do(func() { close(s.quit) })
	<-s.done
	return nil
}

// call makes run call f. An error means that f will not be called.
func (s *Session) call(ctx context.Context, f func()) error {
	select {
	case s.calls <- f:
		return nil
	case <-s.done:
		return s.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// post is like call, but does not depend on a caller's context.
func (s *Session) post(f func()) {
	select {
	case s.calls <- f:
	case <-s.done:
	}
}

// presence counts a session's connections to gates, also those being made. While there is
// one, the session does not reconnect, because a new sign-in would remove the player from
// the world.
type presence struct {
	mu   sync.Mutex
	n    int
	free chan struct{} // closed when n is 0 again; nil before the first
}

func (p *presence) enter() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n == 0 {
		p.free = make(chan struct{})
	}
	p.n++
}

func (p *presence) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n--; p.n == 0 {
		close(p.free)
	}
}

// held reports whether there is a connection, and returns a channel that is closed when
// there is none.
func (p *presence) held() (bool, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.n > 0, p.free
}
