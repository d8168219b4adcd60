package bus_test

import (
	"context"
	"errors"
	"testing"

	"github.com/nats-io/nats.go"

	"gatepass/worlds"
	"gatepass/worlds/bus"
	"gatepass/worlds/bus/bustest"
	"gatepass/worlds/bus/wire"
)

// A leader that stood still between its look at the lease and its word says what is
// out of date. Whoever has heard of a later leader does not listen, whatever it says.
func TestNode_DropsWhatAnOlderLeaderSays(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	manager := s.Connect("manager.a")
	alice := bustest.MustName(t, "ALICE")
	version := func(epoch uint64) worlds.Version { return worlds.Version{Epoch: epoch, Seq: 9} }
	for _, self := range []worlds.Node{"login.eu1", "world.7"} {
		says := map[string]func(epoch uint64) []byte{
			wire.PrefixPlace + string(self): func(epoch uint64) []byte {
				return wire.EncodePlace(&worlds.Place{Account: alice, Holder: "login.eu1", Tag: 1}, epoch)
			},
			wire.PrefixEnd + string(self): func(epoch uint64) []byte { return wire.EncodeEnd(&worlds.End{Account: alice, Why: "ban"}, epoch) },
			wire.SubjectPulse:             func(epoch uint64) []byte { return wire.EncodePulse(worlds.Pulse{Version: version(epoch)}) },
		}
		if self.Kind() == worlds.KindLogin {
			says[wire.SubjectChange] = func(epoch uint64) []byte {
				return wire.EncodeChange(&worlds.Change{Version: version(epoch), Reset: true})
			}
		}
		for subject, payload := range says {
			c := s.Correspond(self, 1)
			events := func() int { return c.Count(func(e *worlds.Event) bool { return !e.Up }) }
			c.HearAs(manager, wire.SubjectPulse, wire.EncodePulse(worlds.Pulse{Version: worlds.Version{Epoch: 20}}))
			bustest.Eventually(t, "the leader is known", func() bool { return events()+c.Ups() == 2 })
			before := events()
			c.HearAs(manager, subject, payload(19))
			bustest.Eventually(t, "what the older leader says is dropped: "+subject, func() bool { return c.Conn.Stats().Outdated == 1 })
			c.HearAs(manager, subject, payload(20))
			c.HearAs(manager, subject, payload(20))
			bustest.Eventually(t, "what the leader says is heard: "+subject, func() bool { return events() >= before+2 })
			if n := events() - before; n != 2 {
				t.Errorf("%s: %d were delivered of %s", self, n, subject)
			}
			c.Conn.Close()
		}
	}
}

// A manager of an earlier version does not say its epoch with everything.
func TestFence_WithoutAnEpochIsHeard(t *testing.T) {
	t.Parallel()
	var f bus.Fence
	for _, c := range []struct {
		epoch    uint64
		outdated bool
	}{{0, false}, {5, false}, {5, false}, {4, true}, {0, false}, {6, false}, {5, true}} {
		if f.Outdated(c.epoch) != c.outdated {
			t.Errorf("epoch %d: %v", c.epoch, !c.outdated)
		}
	}
}

// A world ignores the answers of an older leader to its registration and heartbeats.
func TestRegistrar_DropsAnswersOfAnOlderLeader(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	manager := s.Connect("manager.a")
	for suffix, answer := range map[string]any{
		wire.SuffixRegister: wire.RegisterReply{OK: true, HeartbeatMs: 100, Missed: 3, Epoch: 5},
		wire.SuffixBeat:     wire.BeatReply{Known: true, Epoch: 5},
	} {
		_, err := manager.Client().Subscribe(wire.WorldSubject(7, suffix), func(m *nats.Msg) { _ = m.Respond(wire.EncodeJSON(answer)) })
		if err := errors.Join(err, manager.Client().Flush()); err != nil {
			t.Fatal(err)
		}
	}
	world := s.Correspond("world.7", 70)
	reg := s.Join(world.Conn, bustest.TestRegistration(7, 70))
	bustest.Eventually(t, "it is registered", reg.Registered)
	before := world.Conn.Stats().Outdated
	world.Conn.Outdated(1 << 63) // it has heard another leader
	bustest.Eventually(t, "answers are dropped", func() bool { return world.Conn.Stats().Outdated > before+1 })
	if err := reg.RegisterOnce(context.Background()); !errors.Is(err, bus.ErrOutdated) {
		t.Errorf("registered: %v", err)
	}
	if err := reg.BeatOnce(context.Background(), worlds.Beat{Incarnation: 70}); !errors.Is(err, bus.ErrOutdated) {
		t.Errorf("beat: %v", err)
	}
}
