package busserver_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gatepass/worlds/bus/bustest"
	"gatepass/worlds/bus/lead"
)

// A manager counts and reports that it cannot store the list.
func TestManager_StoreThatFailsIsToldOf(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	ctx, stop := context.WithCancel(context.Background())
	var monitor lead.Monitor
	var managing sync.WaitGroup
	manager := s.Connect("manager.a")
	managing.Go(func() {
		o := lead.ManagerOptions{Lease: 30 * time.Second, Heartbeat: 100 * time.Millisecond, Monitor: &monitor}
		if err := lead.RunManager(ctx, manager, o); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { stop(); managing.Wait() })
	bustest.Eventually(t, "it leads", func() bool { return monitor.Stats().Leads })
	world := s.Correspond("world.7", 70)
	// The store is gone, and a file in its place keeps the server from restoring it.
	store := filepath.Join(s.Authority.Dir(), "jetstream")
	if err := errors.Join(os.Rename(store, store+"-away"), os.WriteFile(store, nil, 0o600), s.Server.NATS().DisableJetStream()); err != nil {
		t.Fatal(err)
	}
	s.Join(world.Conn, bustest.TestRegistration(7, 70))
	bustest.Eventually(t, "storing fails", func() bool { return !monitor.Stats().FailingSince.IsZero() })
	if monitor.Stats().StoreFailures == 0 {
		t.Error("no failure was counted")
	}
}
