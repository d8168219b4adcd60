package client_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"gatepass/client"
	"gatepass/codec"
	"gatepass/codec/native"
)

// atStep hangs up (or does what v says) at one step of some connections.
func atStep(at step, v verdict, on func(number int) bool) func(*peer, step) verdict {
	return func(p *peer, s step) verdict {
		if s == at && on(p.number) {
			return v
		}
		return proceed
	}
}

// script is what a fake does before it only answers.
func script(f func(p *peer)) func(p *peer) {
	return func(p *peer) { f(p); p.pongs() }
}

func TestWorlds_ChangeBeforeOnesEyes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, turn := newFake(), make(chan struct{})
		f.after = script(func(p *peer) {
			<-turn
			p.say(&codec.Reply{Kind: codec.ReplyCharacters, Native: &codec.NativeReply{Counts: []codec.CharacterCount{{World: 1, Count: 4}}}})
			<-turn
			p.delta(1, 2, native.World{ID: 1, Name: "Ash", Status: native.StatusOffline}, native.World{ID: 3, Name: "Cedar"})
		})
		s := f.mustLogin(t, f.options())
		seen := s.Worlds().Version()
		turn <- struct{}{}
		seen, err := s.Worlds().Wait(t.Context(), seen)
		if w, _ := s.Worlds().Get(1); err != nil || w.Characters != 4 {
			t.Fatalf("got %+v, %v", w, err)
		}
		changed := s.Worlds().Changed()
		turn <- struct{}{}
		<-changed
		list := s.Worlds().All()
		if len(list) != 3 || list[0].Status != client.StatusOffline || list[0].Characters != 4 || list[2].ID != 3 {
			t.Fatalf("got %+v", list)
		}
		if s.Worlds().Version() != seen+1 {
			t.Fatal("the version did not rise by one")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = s.Worlds().Wait(ctx, seen+1)
		wantErr(t, err, context.DeadlineExceeded)
	})
}

// A change that does not follow what is there was missed: all is asked for anew.
func TestWorlds_AGapSignsInAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.after = script(func(p *peer) {
			if p.number == 1 {
				p.delta(5, 6, native.World{ID: 9})
			}
		})
		s := f.mustLogin(t, f.options())
		event[client.Disconnected](t, s)
		if !s.Worlds().Stale() || len(s.Worlds().All()) != 2 {
			t.Fatal("the list is not kept, or not stale")
		}
		event[client.Reconnected](t, s)
		synctest.Wait()
		if s.Worlds().Stale() {
			t.Fatal("stale still")
		}
	})
}

func TestSession_SelectAndRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.after = script(func(p *peer) {
			m, _ := p.wanted()
			p.issue(uint8(m.Number))
			m, _ = p.wanted()
			p.say(&codec.Reply{Kind: codec.ReplySelectRefused, Number: m.Number, Native: &codec.NativeReply{
				Reason: codec.SelectFull, Alternatives: []uint8{4, 5},
			}})
			p.say(&codec.Reply{Kind: codec.ReplySelectRefused, Number: 1, Native: &codec.NativeReply{Reason: codec.SelectExpired}})
		})
		s := f.mustLogin(t, f.options())
		pass, err := s.Select(t.Context(), 1)
		if err != nil || pass.World != 1 || pass.Address != "gate:1" || time.Until(pass.Expires) != time.Minute {
			t.Fatalf("got %v, %v", pass, err)
		}
		_, err = s.Select(t.Context(), 2)
		var no *client.SelectError
		if !errors.As(err, &no) || no.Reason != codec.SelectFull || !slices.Equal(no.Alternatives, []uint8{4, 5}) {
			t.Fatalf("got %v", err)
		}
		if ev := event[client.PassExpired](t, s); ev.World != 1 {
			t.Fatalf("got %+v", ev)
		}
		if err := s.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err = s.Select(t.Context(), 0)
		wantErr(t, err, client.ErrWorld)
	})
}

// An answer that comes too late answers nobody: what stands before WorldReleased
// belongs to a pick that was given up.
func TestSession_ALaterPickTakesTheTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, asked := newFake(), make(chan struct{})
		f.after = script(func(p *peer) {
			p.wanted() // SelectWorld 1
			close(asked)
			if m, _ := p.wanted(); m.Kind != codec.KindReleaseWorld {
				t.Errorf("got %v", m.Kind)
			}
			p.issue(1) // late
			p.say(&codec.Reply{Kind: codec.ReplyWorldReleased})
		})
		s := f.mustLogin(t, f.options())
		first := make(chan error, 1)
		go func() {
			_, err := s.Select(t.Context(), 1)
			first <- err
		}()
		<-asked
		pass, err := s.Select(t.Context(), 3)
		if err != nil || pass.World != 3 {
			t.Fatalf("got %v, %v", pass, err)
		}
		wantErr(t, <-first, client.ErrAnotherPick)
	})
}

func TestSession_APickThatIsGivenUpIsCalledBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.after = script(func(p *peer) {
			p.wanted() // SelectWorld, not answered
			if m, _ := p.wanted(); m.Kind != codec.KindReleaseWorld {
				t.Errorf("got %v", m.Kind)
			}
			time.Sleep(time.Second)
			p.say(&codec.Reply{Kind: codec.ReplyWorldReleased})
		})
		s := f.mustLogin(t, f.options())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.Select(ctx, 1)
		wantErr(t, err, context.DeadlineExceeded)
		if pass, err := s.Select(t.Context(), 1); err != nil || pass.World != 1 {
			t.Fatalf("got %v, %v", pass, err)
		}
	})
}

func TestSession_NobodyAnswersASelect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.after = func(p *peer) {
			for m, ok := p.hear(); ok; m, ok = p.hear() {
				if m.Kind == codec.KindPing {
					p.handle(&m)
				}
			}
		}
		s := f.mustLogin(t, f.options())
		_, err := s.Select(t.Context(), 1)
		wantErr(t, err, client.ErrTimeout)
		wantErr(t, s.Release(t.Context()), client.ErrTimeout)
	})
}

// Whatever is changed, cut or repeated on the sealed channel ends the connection, and
// the session comes back.
func TestSession_FaultsOnTheChannel(t *testing.T) {
	faults := map[string]func(p *peer){
		"flipped": func(p *peer) { p.next = flipNext; p.list() },
		"cut":     func(p *peer) { p.next = halveNext; p.list() },
		"swapped": func(p *peer) {
			a := mustAppend(p, "a")
			b := mustAppend(p, "b")
			_, _ = p.Write(append(b, a...))
		},
		"repeated": func(p *peer) {
			a := mustAppend(p, "a")
			_, _ = p.Write(append(slices.Clone(a), a...))
		},
		"in the clear": func(p *peer) { _, _ = p.Write([]byte{2, 0, 0, 0, 0x7a, 0}) },
		"empty":        func(p *peer) { p.tell(p.session.AppendFrame(nil, nil)) },
		"no message":   func(p *peer) { p.tell(p.session.AppendFrame(nil, []byte{0xff})) },
	}
	for name, fault := range faults {
		bubble(t, name, func(t *testing.T) {
			f := newFake()
			f.after = func(p *peer) {
				if p.number == 1 {
					fault(p)
					p.until()
				}
				p.pongs()
			}
			s := f.mustLogin(t, f.options())
			reason := event[client.Disconnected](t, s).Reason
			if !errors.Is(reason, client.ErrProtocol) && !errors.Is(reason, io.ErrUnexpectedEOF) {
				t.Fatalf("got %v", reason)
			}
			event[client.Reconnected](t, s)
		})
	}
}

func mustAppend(p *peer, text string) []byte {
	frame, err := p.session.Append(nil, &codec.Reply{Kind: codec.ReplyNotice, Native: &codec.NativeReply{Text: text}})
	if err != nil {
		panic(err)
	}
	return frame
}

func TestSession_WhileItIsAwayCallsSaySo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.after = func(*peer) {}
		s := f.mustLogin(t, f.options())
		f.setDown(true)
		event[client.Disconnected](t, s)
		_, err := s.Select(t.Context(), 1)
		wantErr(t, err, client.ErrAway)
		wantErr(t, s.Release(t.Context()), client.ErrAway)
		wantErr(t, s.Remember(t.Context()), client.ErrAway)
		time.Sleep(time.Hour) // it tries on, in vain
		if n := len(f.times()); n < 60 || s.Err() != nil {
			t.Fatalf("%d tries, %v", n, s.Err())
		}
		s.Close()
		wantErr(t, s.Err(), client.ErrClosed)
		_, err = s.Select(t.Context(), 1)
		wantErr(t, err, client.ErrClosed)
		s.Close()
	})
}

// Close does not wait for a sign-in that hangs.
func TestSession_CloseEndsASignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.after = func(*peer) {}
		f.at = atStep(stepHeardHello, stall, func(n int) bool { return n > 1 })
		s := f.mustLogin(t, f.options())
		event[client.Disconnected](t, s)
		time.Sleep(time.Second)
		start := time.Now()
		s.Close()
		if took := time.Since(start); took != 0 {
			t.Fatalf("it took %v", took)
		}
	})
}

func TestSession_EventsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.after = script(func(p *peer) {
			for i := range client.MaxEvents + 3 {
				p.say(&codec.Reply{Kind: codec.ReplyNotice, Native: &codec.NativeReply{Text: string(rune('a' + i))}})
			}
		})
		s := f.mustLogin(t, f.options())
		synctest.Wait()
		if n := s.DroppedEvents(); n != 3 {
			t.Fatalf("%d dropped", n)
		}
		if first := event[client.Notice](t, s).Text; first != "d" {
			t.Fatalf("the first is %q", first)
		}
	})
}
