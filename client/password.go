package client

import (
	"context"

	"gatepass/auth/srp6a"
)

// maxWork is the largest derivation that a server may ask for, in KiB times passes: 1 GiB
// once, or 64 MiB sixteen times. That takes a phone some seconds.
const maxWork = 1 << 20

// password is what a session keeps of the player's password to sign in again.
//
// It is derived for one salt and one cost only, those of the first challenge. They do not
// change while the password stays the same. A challenge with others comes from another
// server; refusing it prevents a new derivation at every reconnect.
type password struct {
	// turn has one token while no goroutine uses the identity.
	turn     chan struct{}
	identity *srp6a.Identity // owned by the goroutine that has the token

	// Owned by the signer. They are those of the first challenge.
	asked  bool
	salt   [32]byte
	params srp6a.Params
}

func newPassword(account, text string) *password {
	p := &password{turn: make(chan struct{}, 1), identity: srp6a.NewIdentity(account, text)}
	p.turn <- struct{}{}
	return p
}

// meets reports whether the challenge has the salt and cost of the first one. It stores
// those of the first one.
func (p *password) meets(ch *srp6a.Challenge) bool {
	if !p.asked {
		p.asked, p.salt, p.params = true, ch.Salt, ch.Params
	}
	return p.salt == ch.Salt && p.params == ch.Params
}

// use calls f, which uses the identity, on another goroutine and waits for it. A derivation
// cannot be interrupted: when ctx ends first, use returns its cause at once while f still
// runs. The caller must not read what f writes then.
func (p *password) use(ctx context.Context, f func()) error {
	select {
	case <-p.turn:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
		p.turn <- struct{}{}
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// behind calls f when no goroutine uses the identity: now, or on another goroutine later.
func (p *password) behind(f func()) {
	inTurn := func() {
		f()
		p.turn <- struct{}{}
	}
	select {
	case <-p.turn:
		inTurn()
	default:
		go func() {
			<-p.turn
			inTurn()
		}()
	}
}

// forget wipes the password. It must not be used again.
func (p *password) forget() { p.behind(p.identity.Wipe) }
