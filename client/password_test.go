package client

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"gatepass/auth/srp6a"
)

// A derivation cannot be broken off, but who waits for it can go; nobody else works
// with the identity before it has ended, nor is that overwritten under it.
func TestPassword_NobodyWaitsForADerivation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, finish, gone := newPassword("ANA", "secret"), make(chan struct{}), errors.New("gone")
		ctx, leave := context.WithCancelCause(t.Context())
		left := make(chan error, 1)
		var order []string
		go func() {
			left <- p.use(ctx, func() {
				<-finish
				order = append(order, "derived")
			})
		}()
		synctest.Wait()
		leave(gone)
		if err := <-left; err != gone {
			t.Fatalf("got %v", err)
		}
		if err := p.use(ctx, func() { t.Error("two at once") }); err != gone {
			t.Fatalf("got %v", err)
		}
		p.behind(func() { order = append(order, "overwritten") })
		synctest.Wait()
		close(finish)
		synctest.Wait()
		if len(order) != 2 || order[1] != "overwritten" {
			t.Fatalf("got %v", order)
		}
	})
}

func TestPassword_UseAndForget(t *testing.T) {
	p, ran := newPassword("ANA", "secret"), 0
	for range 3 {
		if err := p.use(t.Context(), func() { ran++ }); err != nil {
			t.Fatal(err)
		}
	}
	p.forget()
	if ran != 3 {
		t.Fatalf("ran %d times", ran)
	}
}

func TestPassword_MeetsTheFirstChallengeOnly(t *testing.T) {
	p := newPassword("ANA", "secret")
	first := srp6a.Challenge{Params: srp6a.DefaultParams(), Salt: [32]byte{1}, B: []byte{1}}
	again, other := first, first
	again.B = []byte{2}
	other.Group = srp6a.Group3072
	if !p.meets(&first) || !p.meets(&again) || p.meets(&other) || !p.meets(&first) {
		t.Fatal("not so")
	}
}
