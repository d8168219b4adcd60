package client_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"gatepass/client"
	"gatepass/codec"
)

// picked is a session with a pass for world 1, whose gate does g.
func picked(t testing.TB, f *fake, g func(*gatePeer)) (*client.Session, *client.Pass) {
	t.Helper()
	f.gate = g
	s := f.mustLogin(t, f.options())
	pass, err := s.Select(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return s, pass
}

func mustEnter(t testing.TB, s *client.Session, pass *client.Pass) *client.Conn {
	t.Helper()
	c, err := s.Enter(t.Context(), pass)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestEnter_WaitsInTheQueueAndPlays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, pass := picked(t, newFake(), func(g *gatePeer) {
			if !g.accept() {
				return
			}
			for n := 3; n > 0; n-- {
				g.say(&codec.Reply{Kind: codec.ReplyQueuePosition, Number: uint64(n)})
				time.Sleep(3 * time.Second)
			}
			g.enter()
			g.echo()
		})
		c := mustEnter(t, s, pass)
		for want := 3; want > 0; want-- {
			if ev := event[client.QueuePosition](t, s); ev.Position != want || ev.World != 1 {
				t.Fatalf("got %+v", ev)
			}
		}
		if ev := event[client.Entered](t, s); ev.World != 1 || c.World() != 1 {
			t.Fatalf("got %+v", ev)
		}
		s.Close() // the connection to the world stays
		time.Sleep(10 * time.Minute)
		play(t, c)
		c.Close()
		wantErr(t, c.Err(), client.ErrClosed)
		wantErr(t, c.Send(1, nil), client.ErrClosed)
		_, err := c.Receive(t.Context())
		wantErr(t, err, client.ErrClosed)
	})
}

func play(t *testing.T, c *client.Conn) {
	t.Helper()
	for _, body := range [][]byte{[]byte("hello"), nil, bytes.Repeat([]byte{7}, client.MaxBody)} {
		if err := c.Send(0xffff, body); err != nil {
			t.Fatal(err)
		}
		p, err := c.Receive(t.Context())
		if err != nil || p.Opcode != 0xffff || !bytes.Equal(p.Body, body) {
			t.Fatalf("got %d bytes, %v", len(p.Body), err)
		}
	}
	wantErr(t, c.Send(1, make([]byte, client.MaxBody+1)), client.ErrBody)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := c.Receive(ctx)
	wantErr(t, err, context.DeadlineExceeded)
}

// A gate that has not the pass's key is not believed; neither is one of another world.
func TestEnter_AWrongGateIsFoundOut(t *testing.T) {
	bubble(t, "proof", func(t *testing.T) {
		s, pass := picked(t, newFake(), func(g *gatePeer) {
			g.greet()
			g.say(&codec.Reply{Kind: codec.ReplyGateAccepted, Native: &codec.NativeReply{Proof: [32]byte{1}}})
			g.until()
		})
		_, err := s.Enter(t.Context(), pass)
		wantErr(t, err, client.ErrServerProof)
		if s.Err() != nil {
			t.Fatal("the session has ended with it")
		}
	})
	bubble(t, "world", func(t *testing.T) {
		s, pass := picked(t, newFake(), func(g *gatePeer) {
			g.say(&codec.Reply{Kind: codec.ReplyGateChallenge, Number: 2, Native: &codec.NativeReply{}})
			g.until()
		})
		pass.Address = "gate:2"
		_, err := s.Enter(t.Context(), pass)
		wantErr(t, err, client.ErrProtocol)
	})
}

func TestEnter_Refused(t *testing.T) {
	for name, c := range map[string]struct {
		gate func(*gatePeer)
		want error
	}{
		"before the pass": {func(g *gatePeer) { g.say(&codec.Reply{Kind: codec.ReplyRefused, Result: codec.ResultBusy}) }, client.ErrBusy},
		"the pass": {func(g *gatePeer) {
			g.greet()
			g.say(&codec.Reply{Kind: codec.ReplyRefused, Result: codec.ResultBadPass})
		}, client.ErrBadPass},
		"in the queue": {func(g *gatePeer) {
			g.accept()
			g.say(&codec.Reply{Kind: codec.ReplyKicked, Result: codec.ResultFull})
		}, client.ErrFull},
		"gone":           {func(g *gatePeer) {}, client.ErrLost},
		"gone, accepted": {func(g *gatePeer) { g.accept() }, client.ErrLost},
		"silent":         {func(g *gatePeer) { g.until() }, client.ErrTimeout},
		"silent in queue": {func(g *gatePeer) {
			g.accept()
			g.until()
		}, client.ErrUnheard},
		"a packet too early": {func(g *gatePeer) {
			g.accept()
			g.say(&codec.Reply{Kind: codec.ReplyGamePacket, Native: &codec.NativeReply{}})
			g.until()
		}, client.ErrProtocol},
	} {
		bubble(t, name, func(t *testing.T) {
			s, pass := picked(t, newFake(), c.gate)
			_, err := s.Enter(t.Context(), pass)
			wantErr(t, err, c.want)
		})
	}
}

func TestEnter_TheContextEndsTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, pass := picked(t, newFake(), func(g *gatePeer) {
			g.accept()
			g.echo()
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		_, err := s.Enter(ctx, pass)
		wantErr(t, err, context.DeadlineExceeded)
	})
}

// Packets that nobody receives wait, and nothing is taken for dead because of it.
// What came before the end is received before the end is told.
func TestConn_ASlowGameLosesNothing(t *testing.T) {
	const packets = 200
	synctest.Test(t, func(t *testing.T) {
		s, pass := picked(t, newFake(), func(g *gatePeer) {
			g.accept()
			g.enter()
			for i := range packets {
				g.say(&codec.Reply{Kind: codec.ReplyGamePacket, Native: &codec.NativeReply{Opcode: uint16(i)}})
			}
			g.say(&codec.Reply{Kind: codec.ReplyKicked, Result: codec.ResultKicked})
		})
		c := mustEnter(t, s, pass)
		time.Sleep(10 * ping)
		for i := range packets {
			p, err := c.Receive(t.Context())
			if err != nil || p.Opcode != uint16(i) {
				t.Fatalf("packet %d: %v, %v", i, p, err)
			}
		}
		_, err := c.Receive(t.Context())
		wantErr(t, err, client.ErrKicked)
		<-c.Done()
		wantErr(t, c.Err(), client.ErrKicked)
	})
}

func TestConn_ADeadWorldIsFoundOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, pass := picked(t, newFake(), func(g *gatePeer) {
			g.accept()
			g.enter()
			g.until()
		})
		c := mustEnter(t, s, pass)
		start := time.Now()
		_, err := c.Receive(t.Context())
		wantErr(t, err, client.ErrUnheard)
		if silent := time.Since(start); silent != 2*ping {
			t.Fatalf("found out after %v", silent)
		}
	})
}

// To sign in anew would take the player out of the world: the session waits.
func TestSession_StaysAwayWhileThePlayerIsInAWorld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, cut := newFake(), make(chan struct{})
		f.after = func(p *peer) {
			if p.number == 1 {
				m, _ := p.wanted()
				p.issue(uint8(m.Number))
				<-cut
				return
			}
			p.pongs()
		}
		s, pass := picked(t, f, func(g *gatePeer) {
			g.accept()
			g.enter()
			g.echo()
		})
		c := mustEnter(t, s, pass)
		close(cut)
		if ev := event[client.Disconnected](t, s); !ev.Held {
			t.Fatalf("got %+v", ev)
		}
		time.Sleep(time.Hour)
		if n := len(f.times()); n != 1 {
			t.Fatalf("%d dials", n)
		}
		c.Close()
		event[client.Reconnected](t, s)
	})
}

// So it does when the player goes there while it is about to come back.
func TestSession_StaysAwayWhenThePlayerEntersMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, cut := newFake(), make(chan struct{})
		f.after = func(p *peer) {
			if p.number == 1 {
				m, _ := p.wanted()
				p.issue(uint8(m.Number))
				<-cut
				p.say(&codec.Reply{Kind: codec.ReplyGoingAway, Number: 60_000})
				return
			}
			p.pongs()
		}
		s, pass := picked(t, f, func(g *gatePeer) {
			g.accept()
			g.enter()
			g.echo()
		})
		close(cut)
		event[client.Disconnected](t, s)
		c := mustEnter(t, s, pass)
		time.Sleep(time.Hour)
		if n := len(f.times()); n != 1 {
			t.Fatalf("%d dials", n)
		}
		c.Close()
		event[client.Reconnected](t, s)
	})
}

// Many goroutines may send and receive at once.
func TestConn_ManyAtOnce(t *testing.T) {
	const each = 25
	synctest.Test(t, func(t *testing.T) {
		s, pass := picked(t, newFake(), func(g *gatePeer) {
			g.accept()
			g.enter()
			g.echo()
		})
		c := mustEnter(t, s, pass)
		errs := make(chan error)
		for range 4 {
			go func() {
				for i := range each {
					if err := c.Send(uint16(i), []byte("x")); err != nil {
						errs <- err
						return
					}
				}
				errs <- nil
			}()
			go func() {
				for range each {
					if _, err := c.Receive(t.Context()); err != nil {
						errs <- fmt.Errorf("receive: %w", err)
						return
					}
				}
				errs <- nil
			}()
		}
		for range 8 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	})
}
