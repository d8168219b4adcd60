package main

import (
	"context"
	"sync"
	"sync/atomic"

	"gatepass/client"
)

// codeDesk brings the wish for a second factor from the session's goroutine to the
// player, and the answer back.
type codeDesk struct {
	signed  atomic.Bool
	wanted  chan client.Factor
	answers chan string
	once    sync.Once
	ended   chan struct{}
}

func newCodeDesk() *codeDesk {
	return &codeDesk{wanted: make(chan client.Factor, 1), answers: make(chan string, 1), ended: make(chan struct{})}
}

// signedIn says that from now on the player's loop asks.
func (d *codeDesk) signedIn()        { d.signed.Store(true) }
func (d *codeDesk) isSignedIn() bool { return d.signed.Load() }

// give answers the next or waiting wish; one too many is dropped and told by false.
func (d *codeDesk) give(code string) bool {
	select {
	case d.answers <- code:
		return true
	default:
		return false
	}
}

// end says that nobody will answer any more.
func (d *codeDesk) end() { d.once.Do(func() { close(d.ended) }) }

// wait asks and waits for an answer.
func (d *codeDesk) wait(ctx context.Context, factor client.Factor) (string, error) {
	if d.signed.Load() {
		select {
		case d.wanted <- factor:
		default: // the wish before this one still hangs there
		}
	}
	select {
	case code := <-d.answers:
		return code, nil
	default:
	}
	select {
	case code := <-d.answers:
		return code, nil
	case <-d.ended:
		return "", errNoCode
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
