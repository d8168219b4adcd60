package client_test

import (
	"testing"
	"testing/synctest"

	"gatepass/client"
	"gatepass/codec/native"
)

// A server that has just started has heard of no world: the list that the player sees
// stays, marked stale, until there is one that is not.
func TestWorlds_AnEmptyStaleListReplacesNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, goOn := newFake(), make(chan struct{})
		f.setAt(func(p *peer, s step) verdict {
			if s != stepWelcomed || p.number == 1 {
				return proceed
			}
			p.tell(p.session.AppendFrame(nil, native.AppendWorldSnapshot(nil, 1, true, nil)))
			<-goOn
			d := native.WorldDelta{From: 1, To: 2, Stale: true, Changed: f.worlds[1:]}
			p.tell(p.session.AppendFrame(nil, native.AppendWorldDelta(nil, &d)))
			<-goOn
			p.delta(2, 3, f.worlds[0])
			p.pongs()
			return hangUp
		})
		first := true
		f.after = func(p *peer) {
			if !first {
				p.pongs()
			}
			first = false
		}
		s := f.mustLogin(t, f.options())
		event[client.Reconnected](t, s)
		for range 2 {
			synctest.Wait()
			if list := s.Worlds().All(); len(list) != 2 || !s.Worlds().Stale() {
				t.Fatalf("shown: %v, stale %t", list, s.Worlds().Stale())
			}
			goOn <- struct{}{}
		}
		synctest.Wait()
		if list := s.Worlds().All(); len(list) != 2 || list[0].ID != 1 || s.Worlds().Stale() {
			t.Fatalf("shown: %v, stale %t", list, s.Worlds().Stale())
		}
	})
}

// Who has no list yet is shown what there is.
func TestWorlds_AnEmptyStaleListIsAFirstOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.setAt(func(p *peer, s step) verdict {
			if s == stepWelcomed {
				p.tell(p.session.AppendFrame(nil, native.AppendWorldSnapshot(nil, 1, true, nil)))
				p.pongs()
			}
			return proceed
		})
		if w := f.mustLogin(t, f.options()).Worlds(); len(w.All()) != 0 || !w.Stale() || w.Version() == 0 {
			t.Errorf("shown: %v", w.All())
		}
	})
}
