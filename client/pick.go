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
	// World is the world's id.
	World uint8
	// Address is host:port of the world's gate.
	Address string
	// Expires is when the unused pass ends.
	Expires time.Time

	id   [16]byte
	key  [32]byte
	ping time.Duration // the interval that the login server has set
}

// String returns a text without secrets.
func (p *Pass) String() string { return fmt.Sprintf("pass for world %d at %s", p.World, p.Address) }

// GoString returns the same text as String.
func (p *Pass) GoString() string { return p.String() }

// picked is the answer to a Select, or, without a pass, to a Release.
type picked struct {
	pass *Pass
	err  error
}

// picker is one waiting Select, or, with world 0, Release.
type picker struct {
	world  uint8
	answer chan picked // has room for one
}

func newPicker(world uint8) *picker { return &picker{world: world, answer: make(chan picked, 1)} }

// pick is the selection of a world with its unanswered requests. The server answers
// requests in order. Therefore ReleaseWorld is a fence: answers that arrive before
// WorldReleased are for requests that were given up. Owned by run.
//
//	idle ─SelectWorld─▶ asked ─PassIssued, SelectRefused─▶ idle
//	                      │ given up, another one
//	                      └─ReleaseWorld─▶ fenced ─WorldReleased─▶ idle, or asked for the next
type pick struct {
	holds uint8 // the world of the current pass; 0 for none
	// asked waits for the answer to SelectWorld. Invariant: fenced is false then.
	asked *picker
	// fenced says that ReleaseWorld was sent. next is requested after its answer, which
	// releasing wait for.
	fenced    bool
	next      *picker
	releasing []*picker
}

// reset answers all waiting calls with err.
func (p *pick) reset(err error) {
	for _, w := range append([]*picker{p.asked, p.next}, p.releasing...) {
		if w != nil {
			w.answer <- picked{err: err}
		}
	}
	*p = pick{}
}

// selects starts the request of w. Earlier requests without an answer end.
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

// release gives the world back to the server.
func (p *pick) release(s *Session, w *picker) {
	if s.login == nil {
		w.answer <- picked{err: ErrAway}
		return
	}
	p.supersede(s)
	p.releasing = append(p.releasing, w)
	p.fence(s)
}

// supersede ends the requests that wait for a pass.
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

// drop ends the request of a caller that no longer waits, and gives its world back.
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

// fence sends ReleaseWorld, unless its answer is awaited already.
func (p *pick) fence(s *Session) {
	if !p.fenced {
		p.fenced = true
		_ = s.say(&pb.ClientFrame{Body: &pb.ClientFrame_ReleaseWorld{ReleaseWorld: &pb.ReleaseWorld{}}})
	}
}

// advance sends the next request, if there is one.
func (p *pick) advance(s *Session) {
	if p.asked, p.next = p.next, nil; p.asked != nil {
		m := &pb.SelectWorld{World: uint32(p.asked.world)}
		_ = s.say(&pb.ClientFrame{Body: &pb.ClientFrame_SelectWorld{SelectWorld: m}})
	}
}

// released processes the server's WorldReleased.
func (p *pick) released(s *Session) {
	p.holds = 0
	if !p.fenced {
		return // the server has released the world by itself
	}
	p.fenced = false
	for _, w := range p.releasing {
		w.answer <- picked{}
	}
	p.releasing = nil
	p.advance(s)
}

// issued gives the pass to the request that waits for it. A pass for which none waits is
// dropped: the fence has released it at the server.
func (p *pick) issued(pass *Pass) {
	if p.asked == nil || p.asked.world != pass.World {
		return
	}
	p.holds = pass.World
	p.asked.answer <- picked{pass: pass}
	p.asked = nil
}

// refused gives the refusal to the request that waits. It returns true if the refusal says
// that the current pass has expired.
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

// Select requests a pass for a world. A pass for another world ends first. The error is a
// *SelectError if the server refuses, ErrAway while the session reconnects, and
// ErrAnotherPick if Select or Release is called again before the answer. When ctx ends, the
// request is given up and the world is given back.
func (s *Session) Select(ctx context.Context, world uint8) (*Pass, error) {
	if world == 0 {
		return nil, ErrWorld
	}
	w := newPicker(world)
	return s.settlePick(ctx, w, func() { s.pick.selects(s, w) })
}

// Release gives back the selected world. When it returns nil, there is no pass for any
// world.
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
