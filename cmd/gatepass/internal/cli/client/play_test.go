package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"gatepass/client"
	"gatepass/codec"
)

// fakeGame answers at once, except for worlds above 100, which never answer. World 9 is
// full.
type fakeGame struct {
	events chan client.Event
	worlds chan struct{}
	ended  error
	kick   chan error // ends the connection to the world

	mu     sync.Mutex
	inside int
	freed  int
	away   bool
}

func newFakeGame() *fakeGame {
	return &fakeGame{events: make(chan client.Event, 16), worlds: make(chan struct{}), kick: make(chan error, 1)}
}

func (g *fakeGame) Events() <-chan client.Event { return g.events }
func (g *fakeGame) Err() error                  { return g.ended }
func (g *fakeGame) list() worldsNews            { return worldsNews{} }
func (g *fakeGame) changed() <-chan struct{}    { return g.worlds }

func (g *fakeGame) Select(ctx context.Context, world uint8) (*client.Pass, error) {
	if world > 100 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if world == 9 {
		return nil, &client.SelectError{World: 9, Reason: codec.SelectFull, Alternatives: []uint8{1}}
	}
	return &client.Pass{World: world}, nil
}

func (g *fakeGame) Release(context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.freed++
	if g.away {
		return client.ErrAway
	}
	return nil
}

func (g *fakeGame) enter(ctx context.Context, pass *client.Pass) (inside, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if pass.World == 66 {
		return nil, client.ErrServerProof
	}
	g.inside++
	return &fakeInside{game: g}, nil
}

type fakeInside struct {
	game *fakeGame
	told bool
}

func (i *fakeInside) Receive(ctx context.Context) (client.Packet, error) {
	if !i.told {
		i.told = true
		return client.Packet{Opcode: 1}, nil
	}
	select {
	case <-ctx.Done():
		return client.Packet{}, ctx.Err()
	case err := <-i.game.kick:
		return client.Packet{}, err
	}
}

func (i *fakeInside) Close() error {
	i.game.mu.Lock()
	defer i.game.mu.Unlock()
	i.game.inside--
	return nil
}

// table is a running player with the news so far.
type table struct {
	t      *testing.T
	game   *fakeGame
	player *player
	orders chan order
	told   []string
	stop   context.CancelFunc
	over   chan error
}

// sit starts a player. The test runs in a synctest bubble.
func sit(t *testing.T, change func(*player)) *table {
	s := &table{t: t, game: newFakeGame(), orders: make(chan order, maxOrders), over: make(chan error, 1)}
	s.player = &player{game: s.game, orders: s.orders, codes: newCodeDesk(), tell: func(news any) {
		if _, ok := news.(worldsNews); !ok {
			s.told = append(s.told, newsText(news))
		}
	}}
	if change != nil {
		change(s.player)
	}
	var ctx context.Context
	ctx, s.stop = context.WithCancel(t.Context())
	go func() { s.over <- s.player.play(ctx) }()
	synctest.Wait()
	return s
}

func newsText(news any) string {
	switch n := news.(type) {
	case passNews:
		return fmt.Sprintf("pass %d", n.pass.World)
	case refusedNews:
		return fmt.Sprintf("refused %v", n.deed)
	case leftNews:
		return fmt.Sprintf("left %d", n.world)
	}
	return fmt.Sprintf("%T%v", news, news)
}

// does gives orders and waits until all goroutines are idle.
func (s *table) does(orders ...order) {
	for _, o := range orders {
		s.orders <- o
	}
	synctest.Wait()
}

// expect compares the news since its last call.
func (s *table) expect(want ...string) {
	s.t.Helper()
	synctest.Wait()
	if fmt.Sprint(s.told) != fmt.Sprint(want) {
		s.t.Errorf("told %q\nwant %q", s.told, want)
	}
	s.told = nil
}

// leave ends the player. No player may be left in a world.
func (s *table) leave() error {
	s.t.Helper()
	s.stop()
	err := <-s.over
	if s.game.inside != 0 {
		s.t.Errorf("%d connections to worlds are left open", s.game.inside)
	}
	return err
}

func TestPlayer_PicksEntersAndLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sit(t, nil)
		s.does(order{deed: deedEnter})
		s.expect("refused enter")
		s.does(order{deed: deedSelect, world: 9})
		s.expect("client.askingNews{9}", "refused select")
		s.does(order{deed: deedSelect, world: 2}, order{deed: deedEnter})
		s.expect("client.askingNews{2}", "pass 2", "client.enteringNews{2}", "client.enteredNews{2}")
		s.does(order{deed: deedEnter})
		s.expect("refused enter")
		s.game.kick <- client.ErrKicked
		s.expect("left 2")
		s.does(order{deed: deedSelect, world: 66})
		s.does(order{deed: deedEnter})
		s.expect("client.askingNews{66}", "pass 66", "client.enteringNews{66}", "refused enter")
		if err := s.leave(); err != nil {
			t.Error(err)
		}
	})
}

func TestPlayer_ALaterOrderEndsTheOneBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sit(t, func(p *player) { p.autoEnter = true })
		s.does(order{deed: deedSelect, world: 101})
		s.does(order{deed: deedSelect, world: 3})
		s.expect("client.askingNews{101}", "client.askingNews{3}", "pass 3", "client.enteringNews{3}", "client.enteredNews{3}")
		s.does(order{deed: deedRelease})
		s.expect("client.releasedNews{}")
		if s.game.inside != 0 || s.game.freed != 1 {
			t.Errorf("after a release %d are inside, %d were freed", s.game.inside, s.game.freed)
		}
		s.game.away = true
		s.does(order{deed: deedRelease})
		s.expect("client.releasedNews{}")
		s.does(order{deed: deedSelect, world: 3})
		s.does(order{deed: deedSelect, world: 101}, order{deed: deedQuit})
		if err := s.leave(); err != nil {
			t.Error(err)
		}
	})
}

func TestPlayer_HearsOnlyWhatIsAboutNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sit(t, nil)
		s.does(order{deed: deedSelect, world: 3})
		s.told = nil
		s.game.events <- client.QueuePosition{World: 3, Position: 4} // no player is entering
		s.game.events <- client.PassExpired{World: 8}
		s.game.events <- client.Entered{World: 3}
		s.game.events <- client.Notice{Text: "hello"}
		s.expect("client.Notice{hello}")
		s.game.events <- client.PassExpired{World: 3}
		s.expect("client.PassExpired{3}")
		s.does(order{deed: deedEnter})
		s.expect("refused enter")
		s.player.codes.want()
		s.player.codes.wanted <- client.FactorPIN
		s.does(order{deed: deedCode, code: "1234"})
		if code := <-s.player.codes.answers; code != "1234" {
			t.Errorf("the code was %q", code)
		}
		s.told = nil
		s.game.ended = client.ErrReplaced
		close(s.game.events)
		if err := s.leave(); !errors.Is(err, client.ErrReplaced) {
			t.Errorf("play ended with %v", err)
		}
	})
}

func TestPlayer_LeavesNoGoroutine(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	synctest.Test(t, func(t *testing.T) {
		s := sit(t, func(p *player) { p.first = []order{{deed: deedSelect, world: 1}, {deed: deedSelect, world: 200}} })
		s.does(order{deed: deedQuit})
		if err := s.leave(); err != nil {
			t.Error(err)
		}
	})
	goleak.VerifyNone(t, ignore)
}
