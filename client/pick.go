package client

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gatepass/codec"
	pb "gatepass/codec/native/gatepasspb"
)

// Pass is the right to enter one world once.
type Pass struct {
	// World is which.
	World uint8
	// Address is host:port of its gate.
	Address string
	// Expires is when it ends unused.
	Expires time.Time

	id   [16]byte
	key  [32]byte
	ping time.Duration // what the login server has asked for
}

// String has nothing secret.
func (p *Pass) String() string { return fmt.Sprintf("pass for world %d at %s", p.World, p.Address) }

// GoString is String.
func (p *Pass) GoString() string { return p.String() }

// picked answers a Select, or a Release without a pass.
type picked struct {
	pass *Pass
	err  error
}

// picker is one Select (or Release, of world 0) that waits.
type picker struct {
	world  uint8
	answer chan picked // of one
}

func newPicker(world uint8) *picker { return &picker{world: world, answer: make(chan picked, 1)} }

// pick is what a session has asked for and not heard of. The server answers in the
// order in which it is asked, so that ReleaseWorld is a fence: what comes before
// WorldReleased answers nobody any more. Owned by run.
//
//	idle ─SelectWorld─▶ asked ─PassIssued, SelectRefused─▶ idle
//	                      │ given up, another one
//	                      └─ReleaseWorld─▶ fenced ─WorldReleased─▶ idle, or asked for the next
type pick struct {
	holds uint8 // the world of the pass that there is, 0 for none
	// asked waits for the answer to SelectWorld; then fenced is false.
	asked *picker
	// fenced: ReleaseWorld is out. next is asked behind it, releasing hear of it.
	fenced    bool
	next      *picker
	releasing []*picker
}

// reset answers everybody with err.
func (p *pick) reset(err error) {
	for _, w := range append([]*picker{p.asked, p.next}, p.releasing...) {
		if w != nil {
			w.answer <- picked{err: err}
		}
	}
	*p = pick{}
}

// selects takes the pick of w up; whoever picked before and has no answer gets none.
func (p *pick) selects(s *Session, w *picker) {
	if s.login == nil {
		w.answer <- picked{err: ErrAway}
		return
	}
	p.supersede(s)
	if p.next = w; !p.fenced {
		p.advance(s)
	}
}

// release gives the world back.
func (p *pick) release(s *Session, w *picker) {
	if s.login == nil {
		w.answer <- picked{err: ErrAway}
		return
	}
	p.supersede(s)
	p.releasing = append(p.releasing, w)
	p.fence(s)
}

// supersede takes the turn from whoever waits for a pass.
func (p *pick) supersede(s *Session) {
	if p.asked != nil {
		p.asked.answer <- picked{err: ErrAnotherPick}
		p.asked = nil
		p.fence(s)
	}
	if p.next != nil {
		p.next.answer <- picked{err: ErrAnotherPick}
		p.next = nil
	}
}

// drop is for a caller that has gone: its world is given back.
func (p *pick) drop(s *Session, w *picker) {
	switch {
	case p.asked == w:
		p.asked = nil
		p.fence(s)
	case p.next == w:
		p.next = nil
	default:
		p.releasing = slices.DeleteFunc(p.releasing, func(r *picker) bool { return r == w })
	}
}

func (p *pick) fence(s *Session) {
	if !p.fenced {
		p.fenced = true
		_ = s.say(&pb.ClientFrame{Body: &pb.ClientFrame_ReleaseWorld{ReleaseWorld: &pb.ReleaseWorld{}}})
	}
}

// advance asks for the next.
func (p *pick) advance(s *Session) {
	if p.asked, p.next = p.next, nil; p.asked != nil {
		m := &pb.SelectWorld{World: uint32(p.asked.world)}
		_ = s.say(&pb.ClientFrame{Body: &pb.ClientFrame_SelectWorld{SelectWorld: m}})
	}
}

// released is the server's WorldReleased.
func (p *pick) released(s *Session) {
	p.holds = 0
	if !p.fenced {
		return // by the server's own doing
	}
	p.fenced = false
	for _, w := range p.releasing {
		w.answer <- picked{}
	}
	p.releasing = nil
	p.advance(s)
}

// issued hands the pass to who asked for it. One that nobody waits for stands behind
// a fence, and is called back by it.
func (p *pick) issued(pass *Pass) {
	if p.asked == nil || p.asked.world != pass.World {
		return
	}
	p.holds = pass.World
	p.asked.answer <- picked{pass: pass}
	p.asked = nil
}

// refused hands the server's no to who asked, or tells that it is about the pass that
// there was.
func (p *pick) refused(no *SelectError) (expired bool) {
	if no.Reason == codec.SelectExpired && p.holds == no.World {
		p.holds = 0
		return true
	}
	if p.asked != nil && p.asked.world == no.World {
		p.asked.answer <- picked{err: no}
		p.asked = nil
	}
	return false
}

// Select asks for a pass for a world. A pass for another one is called back first.
// The server's no is a *SelectError; ErrAway while the session reconnects;
// ErrAnotherPick when a later Select or Release comes first. When ctx ends first the
// pick is given up, and the world given back.
func (s *Session) Select(ctx context.Context, world uint8) (*Pass, error) {
	if world == 0 {
		return nil, ErrWorld
	}
	w := newPicker(world)
	return s.settlePick(ctx, w, func() { s.pick.selects(s, w) })
}

// Release gives back the world that was picked; when it returns nil no world holds a
// pass.
func (s *Session) Release(ctx context.Context) error {
	w := newPicker(0)
	_, err := s.settlePick(ctx, w, func() { s.pick.release(s, w) })
	return err
}

func (s *Session) settlePick(ctx context.Context, w *picker, ask func()) (*Pass, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.o.Timeout, ErrTimeout)
	defer cancel()
	if err := s.call(ctx, ask); err != nil {
		return nil, err
	}
	select {
	case a := <-w.answer:
		return a.pass, a.err
	case <-ctx.Done():
		s.post(func() { s.pick.drop(s, w) })
		return nil, context.Cause(ctx)
	case <-s.done:
		return nil, s.err
	}
}
