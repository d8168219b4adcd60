package client_test

import (
	"testing"
	"testing/synctest"

	"gatepass/client"
	"gatepass/codec"
)

func TestSession_ForgetDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		f, o := remembered(t, store)
		s := f.mustLogin(t, o)
		if err := s.ForgetDevice(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(store.tokens) != 0 || f.family != [16]byte{} {
			t.Fatal("not forgotten")
		}
		wantErr(t, newFake().mustLogin(t, newFake().options()).ForgetDevice(t.Context()), client.ErrNoTokens)
	})
}

// Who has signed in by token has one: nothing is asked for nor saved.
func TestSession_RememberWithATokenAsksForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		f, o := remembered(t, store)
		s := f.mustLogin(t, o)
		before := store.saves
		for range 2 {
			if err := s.Remember(t.Context()); err != nil || store.saves != before {
				t.Fatalf("%d saves, %v", store.saves-before, err)
			}
		}
		if err := s.ForgetDevice(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantErr(t, s.Remember(t.Context()), client.ErrNoTokens)
		if err := s.Release(t.Context()); err != nil || f.asked[2] || len(store.tokens) != 0 {
			t.Fatalf("asked %t, stored %d: %v", f.asked[2], len(store.tokens), err)
		}
	})
}

// What is forgotten while the server is still asked for it stays forgotten.
func TestSession_ForgetDeviceWhileItIsBeingRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, f := newMemory(), newFake()
		asked := make(chan struct{})
		f.after = script(func(p *peer) {
			m, _ := p.hear()
			close(asked)
			if forget, _ := p.hear(); forget.Kind != codec.KindForgetDevice {
				t.Errorf("got %v", forget.Kind)
			}
			p.remember(&m)
		})
		o := f.options()
		o.Tokens = store
		s := f.mustLogin(t, o)
		answer := make(chan error, 1)
		go func() { answer <- s.Remember(t.Context()) }()
		<-asked
		if err := s.ForgetDevice(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantErr(t, <-answer, client.ErrNoTokens)
		if err := s.Release(t.Context()); err != nil { // behind the server's late answer
			t.Fatal(err)
		}
		wantErr(t, s.Remember(t.Context()), client.ErrNoTokens)
		if store.saves != 0 || f.dials != 1 {
			t.Fatalf("%d saves, %d dials", store.saves, f.dials)
		}
	})
}

// A sign-in under way saves the token that it uses: forgetting waits for its end.
func TestSession_ForgetDeviceWhileSigningInAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		f, o := remembered(t, store)
		proven, goOn := make(chan struct{}), make(chan struct{})
		f.setAt(func(p *peer, s step) verdict {
			if p.number == 2 && s == stepListed {
				return hangUp
			}
			if p.number == 3 && s == stepProven {
				close(proven)
				<-goOn
			}
			return proceed
		})
		s := f.mustLogin(t, o)
		<-proven
		answer := make(chan error, 1)
		go func() { answer <- s.ForgetDevice(t.Context()) }()
		synctest.Wait()
		close(goOn)
		if err := <-answer; err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(store.tokens) != 0 || f.family != [16]byte{} {
			t.Fatal("not forgotten")
		}
	})
}

// A connection may ask once: what it was given is stored again, until it is forgotten.
// What cannot be stored is ended at the server.
func TestSession_RememberAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		f := newFake()
		o := f.options()
		o.Tokens = store
		s := f.mustLogin(t, o)
		store.fail = func(save int) (bool, error) { return true, errDisk }
		wantErr(t, s.Remember(t.Context()), errDisk)
		store.fail = nil
		wantErr(t, s.Remember(t.Context()), client.ErrNoTokens)
		if synctest.Wait(); f.family != [16]byte{} {
			t.Fatal("the server keeps a token that nobody has")
		}
		s.Close()
		s = f.mustLogin(t, o)
		for range 2 {
			if err := s.Remember(t.Context()); err != nil || store.token().Family != f.family {
				t.Fatalf("not stored: %v", err)
			}
		}
		if err := s.ForgetDevice(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantErr(t, s.Remember(t.Context()), client.ErrNoTokens)
	})
}

func TestSession_RememberWhereNobodyDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.remembers = false
		o := f.options()
		o.Tokens, o.Remember = newMemory(), true
		wantErr(t, f.mustLogin(t, o).Remember(t.Context()), client.ErrNoTokens)
	})
}
