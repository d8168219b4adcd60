package client

import (
	"context"
	"sync"
	"time"
)

// Session is a player who is signed in.
type Session struct {
	// Static.
	o      *Options
	worlds *Worlds
	events *events
	gate   presence
	calls  chan func() // to run
	listed chan struct{}
	quit   chan struct{} // Close was called
	done   chan struct{} // run has returned
	// tokenFault is set before run begins.
	tokenFault error

	closing sync.Once
	err     error // why it has ended; set before done is closed

	// Owned by run, and by the goroutine that it has signing in and waits for.
	signer *signer
	// Owned by run.
	login    *login // nil while it is away
	pick     pick
	board    board
	remember *remembering // what Remembered answers; nil for none
	pings    uint64
	tries    int       // to reconnect, since the last connection that lasted
	backAt   time.Time // when GoingAway has told to come back
	// signing: the goroutine aside is signing in; behind waits for its end.
	signing bool
	behind  []func()
}

func newSession(signer *signer) *Session {
	return &Session{
		o: signer.o, signer: signer, worlds: newWorlds(), events: newEvents(),
		calls: make(chan func()), listed: make(chan struct{}), quit: make(chan struct{}), done: make(chan struct{}),
	}
}

// Worlds is the live list. It is always the same and never nil; when Login returns,
// the first list has come.
func (s *Session) Worlds() *Worlds { return s.worlds }

// Events tells what happens; it is closed when the session has ended. See MaxEvents
// for what is lost when nobody reads.
func (s *Session) Events() <-chan Event { return s.events.ch }

// DroppedEvents counts what nobody read in time.
func (s *Session) DroppedEvents() uint64 { return s.events.lost() }

// Done is closed when the session has ended for good.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err says why it has ended, nil while it has not: ErrClosed, a *RefusedError,
// ErrServerProof, ErrKDF, ErrNoCredentials, ErrNoCode.
func (s *Session) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// TokenFault says why Login has not used the device's token, a *TokenError, nil when it
// has, or there was none.
func (s *Session) TokenFault() error { return s.tokenFault }

// Close ends the session and returns when its goroutines have. What is secret is
// overwritten; where the password is being derived just then, behind that. A Conn stays. It may be called more than once.
func (s *Session) Close() error {
	s.closing.Do(func() { close(s.quit) })
	<-s.done
	return nil
}

// call has run call f; an error says that it never will.
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

// post is call for what has to be done even if nobody waits any more.
func (s *Session) post(f func()) {
	select {
	case s.calls <- f:
	case <-s.done:
	}
}

// presence counts the connections to gates of one session, open ones and those that
// are being made. While there is one the login connection is not made anew: to sign
// in would take the player out of the world.
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

// held tells whether there is one, and when there will be none.
func (p *presence) held() (bool, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.n > 0, p.free
}
