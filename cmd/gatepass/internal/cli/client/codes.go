package client

import (
	"context"
	"sync"
	"sync/atomic"

	"gatepass/client"
)

// codeDesk passes the request for a second factor from the session's goroutine to the
// player, and the answer back.
type codeDesk struct {
	signed  atomic.Bool
	open    atomic.Bool // a request has no answer yet
	wanted  chan client.Factor
	answers chan string
	once    sync.Once
	ended   chan struct{}
}

func newCodeDesk() *codeDesk {
	return &codeDesk{wanted: make(chan client.Factor, 1), answers: make(chan string, 1), ended: make(chan struct{})}
}

// signedIn says that the player's loop handles requests from now on.
func (d *codeDesk) signedIn()        { d.signed.Store(true) }
func (d *codeDesk) isSignedIn() bool { return d.signed.Load() }

// want opens a request. From then on give accepts a code.
func (d *codeDesk) want() {
	select {
	case <-d.answers: // of an earlier request that was given up
	default:
	}
	d.open.Store(true)
}

// give answers the open request. It returns false if there is none.
func (d *codeDesk) give(code string) bool {
	if !d.open.CompareAndSwap(true, false) {
		return false
	}
	select {
	case d.answers <- code:
		return true
	default:
		return false
	}
}

// end says that no answer will come any more.
func (d *codeDesk) end() { d.once.Do(func() { close(d.ended) }) }

// wait sends the request and waits for an answer. Call want before it.
func (d *codeDesk) wait(ctx context.Context, factor client.Factor) (string, error) {
	defer d.open.Store(false)
	if d.signed.Load() {
		select {
		case d.wanted <- factor:
		default: // the earlier request is still queued
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
