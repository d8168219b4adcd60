package bus

import (
	"bytes"
	"errors"
	"testing"

	"gatepass/worlds"
)

// visit is a login server and a world that takes its passes, on a real bus.
type visit struct {
	login, world *holder
}

func newVisit(t *testing.T) visit {
	t.Helper()
	s := newStage(t)
	return visit{
		login: s.holdAs(worlds.PassOptions[struct{}]{Self: "login.eu1", Incarnation: 1}),
		world: s.holdAs(worlds.PassOptions[struct{}]{Self: "world.7", Incarnation: 2, Takes: func(from worlds.Node, _ *worlds.Move) worlds.Reason {
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
	v.login.do(func() {
		key := worlds.NewSecret(passKey)
		if err := v.login.passes.Offer(pass, mustName(t, "ALICE"), 10, "world.7", &key); err != nil {
			t.Error(err)
		}
	})
	v.login.expect(t, worlds.OutcomeIssued, "ALICE")
}

var passKey = bytes.Repeat([]byte{7}, 32)

// A client that picks a world gets in with its pass, once, and both sides hear of
// it: the permissions of both let every step through.
func TestPass_OfferedOverTheBus(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	pass := worlds.PassID{1, 15: 2}
	v.offer(t, pass)
	v.world.expect(t, worlds.OutcomeTaken, "ALICE")
	v.world.do(func() {
		h, err := v.world.passes.Use(pass)
		if err != nil || h.Account != mustName(t, "ALICE") || h.Stamp != 10 || h.Hop != 1 || !bytes.Equal(h.Key().Bytes(), passKey) {
			t.Fatalf("%+v, %v", h, err)
		}
		v.world.passes.HoldAt(h.Account, h.Stay(), h.Key())
		if _, err := v.world.passes.Use(pass); !errors.Is(err, worlds.ErrUsed) {
			t.Errorf("a second time: %v", err)
		}
	})
	v.login.expect(t, worlds.OutcomeAdmitted, "ALICE")
	v.world.do(func() {
		if h := v.world.passes.Find(mustName(t, "ALICE")); h == nil || h.Hop != 1 || !bytes.Equal(h.Key().Bytes(), passKey) {
			t.Errorf("the world holds %+v", h)
		}
	})
}

func TestPass_RecalledOverTheBus(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	pass := worlds.PassID{1, 15: 3}
	v.offer(t, pass)
	v.login.do(func() {
		if err := v.login.passes.Recall(pass); err != nil {
			t.Error(err)
		}
	})
	v.login.expect(t, worlds.OutcomeKept, "ALICE")
	v.world.expect(t, worlds.OutcomeLapsed, "ALICE")
	v.world.do(func() {
		if _, err := v.world.passes.Use(pass); !errors.Is(err, worlds.ErrNoSuchKey) {
			t.Errorf("it can be used still: %v", err)
		}
	})
}

// A world that takes no passes says so.
func TestPass_RefusedOverTheBus(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	login := s.holdAs(worlds.PassOptions[struct{}]{Self: "login.eu1", Incarnation: 1})
	s.holdAs(worlds.PassOptions[struct{}]{Self: "world.7", Incarnation: 2})
	login.do(func() {
		key := worlds.NewSecret(passKey)
		if err := login.passes.Offer(worlds.PassID{9}, mustName(t, "ALICE"), 10, "world.7", &key); err != nil {
			t.Error(err)
		}
	})
	login.expect(t, worlds.OutcomeKept, "ALICE")
	if o := login.outcomes[len(login.outcomes)-1]; o.Reason != worlds.ReasonForeign || o.Node != "world.7" {
		t.Errorf("%+v", o)
	}
}
