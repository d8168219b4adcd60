package client

import (
	"context"
	"fmt"
	"time"
)

// Session is a player who is signed in.
type Session struct {
	worlds *Worlds
	events *events
	done   chan struct{}
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
func (s *Session) Err() error { return nil }

// Pass is the right to enter one world once.
type Pass struct {
	// World is which.
	World uint8
	// Address is host:port of its gate.
	Address string
	// Expires is when it ends unused.
	Expires time.Time

	id  [16]byte
	key [32]byte
}

// String has nothing secret.
func (p *Pass) String() string { return fmt.Sprintf("pass for world %d at %s", p.World, p.Address) }

// GoString is String.
func (p *Pass) GoString() string { return p.String() }

// Select asks for a pass for a world. A pass for another one is called back first.
// The server's no is a *SelectError; ErrAway while the session reconnects;
// ErrAnotherPick when a later Select or Release comes first. When ctx ends first the
// pick is given up, and the world given back.
func (s *Session) Select(ctx context.Context, world uint8) (*Pass, error) { return nil, ErrClosed }

// Release gives back the world that was picked; when it returns nil no world holds a
// pass.
func (s *Session) Release(ctx context.Context) error { return ErrClosed }

// Enter goes to the world of the pass, proves that it has it, checks that the gate
// does too, and waits in the queue until the player is in; the places on the way are
// Events. The pass is used up by it. A *RefusedError is the gate's no. The session
// may be closed when it has returned.
func (s *Session) Enter(ctx context.Context, pass *Pass) (*Conn, error) { return nil, ErrClosed }

// Remember asks for a token for this device and stores it, so that the next sign-in
// needs no password. It replaces one that there is.
func (s *Session) Remember(ctx context.Context) error { return ErrNoTokens }

// ForgetDevice ends this device's token, at the server and in the store. What is
// stored goes even when the server cannot be told.
func (s *Session) ForgetDevice(ctx context.Context) error { return ErrNoTokens }

// Close ends the session and returns when its goroutines have. What is secret is
// overwritten. A Conn stays. It may be called more than once.
func (s *Session) Close() error { return nil }
