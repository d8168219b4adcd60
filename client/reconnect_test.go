package client_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gatepass/client"
	"gatepass/codec"
)

// A lost connection comes back behind a random wait below a bound that doubles.
func TestSession_ComesBackWithBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.at = atStep(stepConnected, hangUp, func(n int) bool { return n > 1 && n < 8 })
		cut := make(chan struct{})
		f.after = func(p *peer) {
			if p.number == 1 {
				<-cut
				return
			}
			p.pongs()
		}
		o := f.options()
		o.Backoff = client.Backoff{Min: time.Second, Max: 10 * time.Second}
		o.Random = &seeded{source: rand.NewChaCha8([32]byte{5})}
		s := f.mustLogin(t, o)
		close(cut)
		var waits []time.Duration
		for ev := range s.Events() {
			if d, ok := ev.(client.Disconnected); ok {
				waits = append(waits, d.Retry)
				continue
			}
			if _, ok := ev.(client.Reconnected); ok {
				break
			}
		}
		bounds := []time.Duration{1, 2, 4, 8, 10, 10, 10}
		if len(waits) != len(bounds) {
			t.Fatalf("waited %v", waits)
		}
		at := f.times()
		for i, w := range waits {
			if w < 0 || w > bounds[i]*time.Second {
				t.Errorf("wait %d is %v, above %d s", i, w, bounds[i])
			}
			if i > 0 && at[i+1].Sub(at[i]) != w {
				t.Errorf("dialled after %v and not after %v", at[i+1].Sub(at[i]), w)
			}
		}
	})
}

// seeded is a random source that is the same in every run.
type seeded struct {
	mu     sync.Mutex
	source *rand.ChaCha8
}

func (s *seeded) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.source.Read(b)
}

func TestSession_ComesBackWhenToldTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.after = func(p *peer) {
			if p.number == 1 {
				p.say(&codec.Reply{Kind: codec.ReplyGoingAway, Number: 40_000})
				time.Sleep(3 * time.Second)
				return
			}
			p.pongs()
		}
		f.at = func(p *peer, s step) verdict {
			if p.number == 2 && s == stepHeardHello {
				p.refuse(codec.ResultBusy, 50*time.Second)
				return hangUp
			}
			return proceed
		}
		s := f.mustLogin(t, f.options())
		start := time.Now()
		if ev := event[client.GoingAway](t, s); ev.After != 40*time.Second {
			t.Fatalf("got %v", ev.After)
		}
		event[client.Reconnected](t, s)
		at := f.times()
		if first := at[1].Sub(start); first != 40*time.Second {
			t.Errorf("dialled after %v", first)
		}
		if second := at[2].Sub(at[1]); second < 50*time.Second || second > 50*time.Second+time.Minute {
			t.Errorf("dialled %v after the refusal", second)
		}
	})
}

// What another try would bring again ends the session, with the reason.
func TestSession_EndsForGood(t *testing.T) {
	for result, want := range map[codec.Result]error{
		codec.ResultReplaced: client.ErrReplaced, codec.ResultKicked: client.ErrKicked, codec.ResultBanned: client.ErrBanned,
	} {
		bubble(t, result.String(), func(t *testing.T) {
			f := newFake()
			f.after = func(p *peer) { p.say(&codec.Reply{Kind: codec.ReplyKicked, Result: result}) }
			s := f.mustLogin(t, f.options())
			ended(t, s)
			wantErr(t, s.Err(), want)
			wantErr(t, event[client.Kicked](t, s).Reason, want)
			if _, open := <-s.Events(); open || len(f.times()) != 1 || !s.Worlds().Stale() {
				t.Fatal("it goes on")
			}
			_, err := s.Select(t.Context(), 1)
			wantErr(t, err, want)
		})
	}
	bubble(t, "refused when it comes back", func(t *testing.T) {
		f := newFake()
		f.after = func(*peer) {}
		f.at = func(p *peer, s step) verdict {
			if p.number == 2 && s == stepHeardHello {
				p.refuse(codec.ResultVersionInvalid, 0)
				return hangUp
			}
			return proceed
		}
		s := f.mustLogin(t, f.options())
		ended(t, s)
		wantErr(t, s.Err(), client.ErrVersion)
	})
	bubble(t, "another server when it comes back", func(t *testing.T) {
		f := newFake()
		f.after = func(*peer) {}
		f.at = atStep(stepProven, flipNext, func(n int) bool { return n == 2 })
		s := f.mustLogin(t, f.options())
		ended(t, s)
		wantErr(t, s.Err(), client.ErrServerProof)
	})
}

// A server that is silent for two pings is dead, one that answers is not.
func TestSession_ADeadServerIsFoundOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.after = func(p *peer) {
			if p.number == 1 {
				for range 30 {
					m, _ := p.hear()
					p.handle(&m)
				}
				p.until()
			}
			p.pongs()
		}
		s := f.mustLogin(t, f.options())
		start := time.Now()
		wantErr(t, event[client.Disconnected](t, s).Reason, client.ErrUnheard)
		if silent := time.Since(start); silent != 32*ping {
			t.Fatalf("found out after %v", silent)
		}
		event[client.Reconnected](t, s)
	})
}
