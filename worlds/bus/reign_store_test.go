package bus

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A table that cannot be stored is told of: nothing is shown that was not stored.
func TestManager_StoreThatFailsIsToldOf(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.manage("manager.a", ManagerOptions{Lease: 30 * time.Second}).mustLead(t)
	world := s.correspond("world.7", 70)
	// The store is gone, and a file in its place keeps the server from mending it.
	store := filepath.Join(s.authority.Dir(), "jetstream")
	if err := errors.Join(os.Rename(store, store+"-away"), os.WriteFile(store, nil, 0o600), s.server.nats.now().DisableJetStream()); err != nil {
		t.Fatal(err)
	}
	s.join(world.conn, testRegistration(7, 70))
	eventually(t, "storing fails", func() bool { return !m.monitor.Stats().FailingSince.IsZero() })
	if m.monitor.Stats().StoreFailures == 0 {
		t.Error("no failure was counted")
	}
}
