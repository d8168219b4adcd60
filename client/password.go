package client

import (
	"context"

	"gatepass/auth/srp6a"
)

// maxWork bounds what a server may ask to be spent on a password, in KiB times
// passes: 1 GiB once, or 64 MiB sixteen times. That is some seconds of a phone.
const maxWork = 1 << 20

// password is what a session keeps of the player's password, to sign in again.
//
// It is derived for one salt at one cost only, those of the first challenge that it
// answers. While the password stays the same so do they; a challenge with others comes
// from another server, which is so kept from having a derivation made at every
// reconnect.
type password struct {
	// turn holds one token while nobody works with the identity.
	turn     chan struct{}
	identity *srp6a.Identity // owned by who has the turn

	// Owned by the signer: the first challenge.
	asked  bool
	salt   [32]byte
	params srp6a.Params
}

func newPassword(account, text string) *password {
	p := &password{turn: make(chan struct{}, 1), identity: srp6a.NewIdentity(account, text)}
	p.turn <- struct{}{}
	return p
}

// meets tells whether the challenge asks for what the first one did. The first one
// always does.
func (p *password) meets(ch *srp6a.Challenge) bool {
	if !p.asked {
		p.asked, p.salt, p.params = true, ch.Salt, ch.Params
	}
	return p.salt == ch.Salt && p.params == ch.Params
}

// use has f work with the identity, on a goroutine of its own, and waits for it. A
// derivation cannot be broken off: when ctx ends first, use returns its cause at once
// and f goes on behind, with all that it touches.
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

// behind runs f when nobody works with the identity: now, or when that has ended.
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

// forget overwrites what is kept. The password must not be used again.
func (p *password) forget() { p.behind(p.identity.Wipe) }
