package worlds

import (
	"testing"

	"gatepass/codec"
)

// offered returns a world that was offered a pass of ALICE's login with that stamp.
func offered(t *testing.T, w, login *Passes[int], pass PassID, stamp Stamp) {
	t.Helper()
	alice, _ := codec.NameOf("ALICE")
	secret := NewSecret(make([]byte, 32))
	if err := login.Offer(pass, alice, stamp, "world.1", &secret); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		for _, out := range login.Outgoing() {
			w.Handle("login.a", &out.Move)
		}
		for _, out := range w.Outgoing() {
			login.Handle("world.1", &out.Move)
		}
	}
}

func newPair() (w, login *Passes[int]) {
	w = NewPasses(PassOptions[int]{Self: "world.1", Incarnation: 1, Takes: func(Node, *Move) Reason { return ReasonNone }})
	login = NewPasses(PassOptions[int]{Self: "login.a"})
	w.Tick(1000)
	login.Tick(1000)
	return w, login
}

// A client that lost its connection to the world comes with a second pass of its login.
// The key of the first pass does not block it, and that key can be dropped without the
// second pass.
func TestPasses_SecondPassOfTheSameLogin(t *testing.T) {
	w, login := newPair()
	first, second := PassID{1}, PassID{2}
	offered(t, w, login, first, 5)
	h, err := w.Use(first)
	if err != nil {
		t.Fatal(err)
	}
	key := *h.Key()
	w.HoldAt(h.Account, h.Stay(), &key)
	for _, out := range w.Outgoing() {
		login.Handle("world.1", &out.Move)
	}
	offered(t, w, login, second, 5)
	if w.Pass(second) == nil {
		t.Fatal("the second pass is not live")
	}
	name := h.Account
	w.DropKey(name)
	if w.Find(name) != nil || w.Len() != 0 {
		t.Error("the key is still there")
	}
	if w.Pass(second) == nil {
		t.Error("the pass went with the key")
	}
	w.DropKey(name) // of none
	if _, err := w.Use(second); err != nil {
		t.Error(err)
	}
}

// A pass of an earlier login than that of the key here is refused.
func TestPasses_PassOfAnEarlierLogin(t *testing.T) {
	w, login := newPair()
	alice, _ := codec.NameOf("ALICE")
	key := NewSecret(make([]byte, 32))
	w.HoldAt(alice, Stay{Stamp: 6, Hop: 1}, &key)
	offered(t, w, login, PassID{1}, 5)
	if w.Pass(PassID{1}) != nil {
		t.Error("the pass is live")
	}
	for _, o := range login.Outcomes() {
		if o.Kind != OutcomeKept || o.Reason != ReasonReplaced {
			t.Errorf("%v for %v", o.Kind, o.Reason)
		}
	}
}
