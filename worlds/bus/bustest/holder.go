package bustest

import (
	"fmt"
	"sync"

	"gatepass/codec/world"
	"gatepass/worlds"
	"gatepass/worlds/bus"
)

// Holder is a login server or world that moves keys with others.
type Holder struct {
	stage *Stage
	node  *bus.Node

	mu       sync.Mutex
	passes   *worlds.Passes[struct{}]
	outcomes []worlds.Outcome[struct{}]
}

// Hold connects a login server that gives keys to worlds.
func (s *Stage) Hold(node worlds.Node) *Holder {
	s.TB.Helper()
	return s.HoldAs(worlds.PassOptions[struct{}]{
		Self: node, Incarnation: 1,
		Gives: func(to worlds.Node) bool { return to.Kind() == worlds.KindWorld },
		Verify: func(held *worlds.Held[struct{}], p *worlds.Proof) bool {
			return p.Digest == world.Digest(held.Account.Bytes(), p.ClientSeed, p.ServerSeed, (*[40]byte)(held.Key().Bytes()))
		},
	})
}

// HoldAs connects a node that moves keys with those options.
func (s *Stage) HoldAs(o worlds.PassOptions[struct{}]) *Holder {
	s.TB.Helper()
	vouchers := worlds.NewVouchers(nil)
	if o.Self.Kind() == worlds.KindLogin {
		o.Vouchers = vouchers
	}
	h := &Holder{stage: s, passes: worlds.NewPasses(o)}
	ready := make(chan struct{})
	conn := s.Connect(o.Self)
	var err error
	h.node, err = conn.Node(bus.NodeOptions{Incarnation: 1, Deliver: func(e worlds.Event) {
		<-ready
		if e.Move != nil {
			h.Do(func(p *worlds.Passes[struct{}]) { p.Handle(e.From, e.Move) })
		}
		if e.Snapshot != nil {
			h.Do(func(*worlds.Passes[struct{}]) { vouchers.SetKey(&e.Snapshot.VoucherKey) })
		}
		if e.Up && o.Self.Kind() == worlds.KindLogin {
			h.node.Submit([]worlds.Effect{{AskSnapshot: true}})
		}
	}})
	close(ready)
	if err == nil {
		err = conn.Client().Flush() // from now on it gets what others send
	}
	if err != nil {
		s.TB.Fatal(err)
	}
	return h
}

// Do runs f on the holder's passes and sends the messages that result.
func (h *Holder) Do(f func(*worlds.Passes[struct{}])) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f(h.passes)
	var effects []worlds.Effect
	for _, out := range h.passes.Outgoing() {
		effects = append(effects, worlds.Effect{To: out.To, Move: &out.Move})
	}
	h.node.Submit(effects)
	h.outcomes = append(h.outcomes, h.passes.Outcomes()...)
}

// Login gives the holder an account's key.
func (h *Holder) Login(account string, key *[40]byte) {
	h.stage.TB.Helper()
	secret := worlds.NewSecret(key[:])
	h.Do(func(p *worlds.Passes[struct{}]) { p.Hold(MustName(h.stage.TB, account), 1, &secret) })
	h.node.Submit([]worlds.Effect{Announce(account, 1, worlds.AnnounceFresh)})
}

// Expect waits for an outcome of an account's move and returns the last outcome.
func (h *Holder) Expect(kind worlds.OutcomeKind, account string) (last worlds.Outcome[struct{}]) {
	h.stage.TB.Helper()
	Eventually(h.stage.TB, fmt.Sprintf("outcome %d of %s", kind, account), func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, o := range h.outcomes {
			if o.Kind == kind && o.Account == MustName(h.stage.TB, account) {
				last = h.outcomes[len(h.outcomes)-1]
				return true
			}
		}
		return false
	})
	return last
}
