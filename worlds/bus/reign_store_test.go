package bus

import (
	"testing"
	"time"
)

// A table that cannot be stored is told of: nothing is shown that was not stored.
func TestManager_StoreThatFailsIsToldOf(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.manage("manager.a", ManagerOptions{Lease: 30 * time.Second}).mustLead(t)
	world := s.correspond("world.7", 70)
	if err := s.server.nats.DisableJetStream(); err != nil {
		t.Fatal(err)
	}
	s.join(world.conn, testRegistration(7, 70))
	eventually(t, "storing fails", func() bool { return !m.monitor.Stats().FailingSince.IsZero() })
	if m.monitor.Stats().StoreFailures == 0 {
		t.Error("no failure was counted")
	}
}
