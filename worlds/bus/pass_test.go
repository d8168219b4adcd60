package bus_test

import (
	"bytes"
	"errors"
	"testing"

	"gatepass/worlds"
	"gatepass/worlds/bus/bustest"
)

// visit is a login server and a world that takes its passes, on a real bus.
type visit struct {
	login, world *bustest.Holder
}

func newVisit(t *testing.T) visit {
	t.Helper()
	s := bustest.NewStage(t)
	return visit{
		login: s.HoldAs(worlds.PassOptions[struct{}]{Self: "login.eu1", Incarnation: 1}),
		world: s.HoldAs(worlds.PassOptions[struct{}]{Self: "world.7", Incarnation: 2, Takes: func(from worlds.Node, _ *worlds.Move) worlds.Reason {
			if from.Kind() != worlds.KindLogin {
				return worlds.ReasonForeign
			}
			return worlds.ReasonNone
		}}),
	}
}

// offer has a login server offer a pass for ALICE, until the world has it.
func (v visit) offer(t *testing.T, pass worlds.PassID) {
	t.Helper()
	v.login.Do(func(p *worlds.Passes[struct{}]) {
		key := worlds.NewSecret(passKey)
		if err := p.Offer(pass, bustest.MustName(t, "ALICE"), 10, "world.7", &key); err != nil {
			t.Error(err)
		}
	})
	v.login.Expect(worlds.OutcomeIssued, "ALICE")
}

var passKey = bytes.Repeat([]byte{7}, 32)

// A client that picks a world gets in with its pass, once, and both sides hear of
// it: the permissions of both let every step through.
func TestPass_OfferedOverTheBus(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	pass := worlds.PassID{1, 15: 2}
	v.offer(t, pass)
	v.world.Expect(worlds.OutcomeTaken, "ALICE")
	v.world.Do(func(p *worlds.Passes[struct{}]) {
		h, err := p.Use(pass)
		if err != nil || h.Account != bustest.MustName(t, "ALICE") || h.Stamp != 10 || h.Hop != 1 || !bytes.Equal(h.Key().Bytes(), passKey) {
			t.Fatalf("%+v, %v", h, err)
		}
		p.HoldAt(h.Account, h.Stay(), h.Key())
		if _, err := p.Use(pass); !errors.Is(err, worlds.ErrUsed) {
			t.Errorf("a second time: %v", err)
		}
	})
	v.login.Expect(worlds.OutcomeAdmitted, "ALICE")
	v.world.Do(func(p *worlds.Passes[struct{}]) {
		if h := p.Find(bustest.MustName(t, "ALICE")); h == nil || h.Hop != 1 || !bytes.Equal(h.Key().Bytes(), passKey) {
			t.Errorf("the world holds %+v", h)
		}
	})
}

func TestPass_RecalledOverTheBus(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	pass := worlds.PassID{1, 15: 3}
	v.offer(t, pass)
	v.login.Do(func(p *worlds.Passes[struct{}]) {
		if err := p.Recall(pass); err != nil {
			t.Error(err)
		}
	})
	v.login.Expect(worlds.OutcomeKept, "ALICE")
	v.world.Expect(worlds.OutcomeLapsed, "ALICE")
	v.world.Do(func(p *worlds.Passes[struct{}]) {
		if _, err := p.Use(pass); !errors.Is(err, worlds.ErrNoSuchKey) {
			t.Errorf("it can be used still: %v", err)
		}
	})
}

// A world that takes no passes says so.
func TestPass_RefusedOverTheBus(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	login := s.HoldAs(worlds.PassOptions[struct{}]{Self: "login.eu1", Incarnation: 1})
	s.HoldAs(worlds.PassOptions[struct{}]{Self: "world.7", Incarnation: 2})
	login.Do(func(p *worlds.Passes[struct{}]) {
		key := worlds.NewSecret(passKey)
		if err := p.Offer(worlds.PassID{9}, bustest.MustName(t, "ALICE"), 10, "world.7", &key); err != nil {
			t.Error(err)
		}
	})
	if o := login.Expect(worlds.OutcomeKept, "ALICE"); o.Reason != worlds.ReasonForeign || o.Node != "world.7" {
		t.Errorf("%+v", o)
	}
}
