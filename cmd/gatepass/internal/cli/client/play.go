package client

import (
	"context"
	"errors"

	"gatepass/client"
)

// game is the part of a session that a player uses.
type game interface {
	Events() <-chan client.Event
	Select(ctx context.Context, world uint8) (*client.Pass, error)
	Release(ctx context.Context) error
	Err() error
	// list returns the current list of worlds.
	list() worldsNews
	// changed returns a channel that is closed when the list changes after this call.
	changed() <-chan struct{}
	enter(ctx context.Context, pass *client.Pass) (inside, error)
}

// inside is a connection to a world.
type inside interface {
	Receive(ctx context.Context) (client.Packet, error)
	Close() error
}

// signedIn is the game of a real session.
type signedIn struct{ *client.Session }

func (s signedIn) changed() <-chan struct{} { return s.Worlds().Changed() }

func (s signedIn) list() worldsNews {
	w := s.Worlds()
	return worldsNews{list: w.All(), stale: w.Stale()}
}

func (s signedIn) enter(ctx context.Context, pass *client.Pass) (inside, error) {
	conn, err := s.Enter(ctx, pass)
	if err != nil {
		return nil, err
	}
	return conn, nil
}

// player runs orders one at a time and reports events in order. A later order ends the
// one before. Each order has its own turn, and reports of earlier turns are ignored.
type player struct {
	game   game
	orders <-chan order
	// first are run before the orders of the channel.
	first []order
	codes *codeDesk
	// autoEnter uses each pass as soon as it arrives.
	autoEnter bool
	// tell is called from play only.
	tell func(news any)

	// owned by play
	stage     stage
	world     uint8
	pass      *client.Pass
	wantEnter bool
	turn      uint64
	cancel    context.CancelFunc
	done      chan struct{} // closed when the latest order's goroutine has ended
	reports   chan report
}

// report is news of one turn.
type report struct {
	turn uint64
	news any
}

// play runs until the player quits or ctx ends, and then returns nil, or until the
// session ends, and then returns its error. None of its goroutines is left when it
// returns.
func (p *player) play(ctx context.Context) error {
	p.reports = make(chan report)
	defer p.finish()
	events, changed := p.game.Events(), p.showWorlds()
	for _, o := range p.first {
		p.obey(ctx, o)
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case o := <-p.orders:
			if o.deed == deedQuit {
				return nil
			}
			p.obey(ctx, o)
		case factor := <-p.codes.wanted:
			p.tell(codeNews{factor})
		case <-changed:
			changed = p.showWorlds()
		case r := <-p.reports:
			if r.turn == p.turn {
				p.take(ctx, r.news)
			}
		case e, open := <-events:
			if !open {
				return p.game.Err()
			}
			p.hear(e)
		}
	}
}

// finish ends the current order and waits for its goroutine.
func (p *player) finish() {
	if p.done == nil {
		return
	}
	p.cancel()
	for {
		select {
		case <-p.reports:
		case <-p.done:
			return
		}
	}
}

// showWorlds reports the list and returns the channel for its next change.
func (p *player) showWorlds() <-chan struct{} {
	changed := p.game.changed()
	p.tell(p.game.list())
	return changed
}

// obey starts an order.
func (p *player) obey(ctx context.Context, o order) {
	switch o.deed {
	case deedSelect:
		p.stage, p.world, p.wantEnter = stageAsking, o.world, p.autoEnter
		p.tell(askingNews{o.world})
		p.begin(ctx, func(ctx context.Context, say func(any)) { p.ask(ctx, o.world, say) })
	case deedRelease:
		p.stage = stageIdle
		p.begin(ctx, p.release)
	case deedEnter:
		p.maybeEnter(ctx)
	case deedCode:
		p.codes.give(o.code)
	case deedUpdate:
		p.tell(refusedNews{deedUpdate, 0, errNoOffer})
	}
}

// maybeEnter uses the pass now, or as soon as it arrives.
func (p *player) maybeEnter(ctx context.Context) {
	switch p.stage {
	case stageIdle:
		p.tell(refusedNews{deedEnter, 0, errNoPass})
	case stageAsking:
		p.wantEnter = true
	case stagePass:
		pass := p.pass
		p.stage = stageEntering
		p.tell(enteringNews{pass.World})
		p.begin(ctx, func(ctx context.Context, say func(any)) { p.visit(ctx, pass, say) })
	case stageEntering, stageIn:
		p.tell(refusedNews{deedEnter, p.world, errUnderWay})
	}
}

// begin ends the current order. When its goroutine has ended, it starts the next.
func (p *player) begin(ctx context.Context, do func(ctx context.Context, say func(any))) {
	before := p.done
	if before != nil {
		p.cancel()
	}
	ctx, p.cancel = context.WithCancel(ctx)
	p.turn++
	turn, done := p.turn, make(chan struct{})
	p.done = done
	go func() {
		defer close(done)
		if before != nil {
			<-before
		}
		do(ctx, func(news any) { p.reports <- report{turn, news} })
	}()
}

// ask requests a pass.
func (p *player) ask(ctx context.Context, world uint8, say func(any)) {
	pass, err := p.game.Select(ctx, world)
	if err != nil {
		say(refusedNews{deedSelect, world, err})
		return
	}
	say(passNews{pass})
}

// release releases the world. A disconnected session has no pass to release.
func (p *player) release(ctx context.Context, say func(any)) {
	if err := p.game.Release(ctx); err != nil && !errors.Is(err, client.ErrAway) {
		say(refusedNews{deedRelease, 0, err})
		return
	}
	say(releasedNews{})
}

// visit enters the world and stays until the world or the player ends the visit. It
// reads what the world sends and ignores it; without reading, pings would get no
// answer.
func (p *player) visit(ctx context.Context, pass *client.Pass, say func(any)) {
	conn, err := p.game.enter(ctx, pass)
	if err != nil {
		say(refusedNews{deedEnter, pass.World, err})
		return
	}
	defer conn.Close()
	say(enteredNews{pass.World})
	for err == nil {
		_, err = conn.Receive(ctx)
	}
	say(leftNews{pass.World, err})
}

// take sets the stage for a report of this turn.
func (p *player) take(ctx context.Context, news any) {
	switch n := news.(type) {
	case passNews:
		p.stage, p.pass = stagePass, n.pass
	case enteredNews:
		p.stage = stageIn
	case refusedNews, leftNews:
		p.stage = stageIdle
	}
	p.tell(news)
	if p.stage == stagePass && p.wantEnter {
		p.maybeEnter(ctx)
	}
}

// hear reports the session's events, except those that an order reports.
func (p *player) hear(e client.Event) {
	switch e := e.(type) {
	case client.Entered:
		return // Enter reports it
	case client.QueuePosition:
		if p.stage != stageEntering || e.World != p.world {
			return // an earlier attempt to enter
		}
	case client.PassExpired:
		if p.stage != stagePass || e.World != p.world {
			return
		}
		p.stage = stageIdle
	case client.Reconnected:
		if p.stage == stagePass {
			p.stage = stageIdle
		}
	}
	p.tell(e)
}
