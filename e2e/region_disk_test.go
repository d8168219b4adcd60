package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRegion_FullBusDisk: while the disk of the bus is full nobody leads, and every
// process that needs a leader says so in its health, its metrics and its log; players
// still log in. When there is room again the region goes on by itself; every node is cut
// off no more than once a restart of the bus's server, and connects again.
func TestRegion_FullBusDisk(t *testing.T) {
	t.Parallel()
	r := newRegion(t, []string{"manager.a", "manager.b", "login.a", "world.1"},
		"GATEPASS_REGION__HEARTBEAT=500ms", "GATEPASS_REGION__LEASE=1s", "GATEPASS_DRAIN_LIMIT=500ms")
	r.bus.stop()
	disk := filepath.Join(r.dir, "bus")
	mountSmall(t, disk, "8m")
	r.serveBus(strings.TrimPrefix(r.via, "nats://"))
	r.addPlayers(1, "a")
	a, b := r.manager("a"), r.manager("b")
	login, gate := r.login("a", "127.0.0.1:0"), r.gate(1, 10, "127.0.0.1:0")
	all := []*gatepass{r.bus, a, b, login, gate}
	leader(t, a, b)
	for _, g := range all {
		eventually(t, "all are ready", func() bool { return healthy(g) && ready(g) })
	}
	failures := a.metric("gatepass_manager_store_failures_total") + b.metric("gatepass_manager_store_failures_total")

	fill(t, filepath.Join(disk, "ballast"))
	eventuallyWithin(t, 2*time.Minute, "the bus says that it cannot store", func() bool {
		return r.bus.metric("gatepass_bus_store_failing") == 1 && degraded(r.bus, "the store takes no writes") && !ready(r.bus)
	})
	for _, g := range all[1:] {
		eventually(t, "a process says that nobody leads", func() bool {
			return g.metric("gatepass_bus_leader_heard") == 0 && degraded(g, "no world manager leads") &&
				strings.Contains(g.stderr.String(), "no world manager leads")
		})
		if ready(g) != (g == login) { // logins go on
			t.Errorf("%v: ready is %t", g.cmd.Args[1], ready(g))
		}
	}
	if leads(a) || leads(b) {
		t.Error("a manager leads that cannot keep its lease")
	}
	if now := a.metric("gatepass_manager_store_failures_total") + b.metric("gatepass_manager_store_failures_total"); now <= failures {
		t.Errorf("%v failures to store, before %v", now, failures)
	}
	c := dial(t, login.grunt, vanilla)
	c.mustLogin(who{"P0", "SECRET0"})
	c.close()

	if err := os.Remove(filepath.Join(disk, "ballast")); err != nil {
		t.Fatal(err)
	}
	leader(t, a, b)
	for _, g := range all {
		eventually(t, "all are well again", func() bool { return healthy(g) && ready(g) })
	}
	restarts := r.bus.metric("gatepass_bus_store_restarts_total")
	if restarts < 1 {
		t.Error("the bus's server was not started anew")
	}
	for _, g := range all[1:] {
		if n := g.metric("gatepass_bus_disconnects_total"); n > restarts {
			t.Errorf("%v lost its connection %v times at %v restarts", g.cmd.Args[1], n, restarts)
		}
	}
	eventually(t, "the world is online", func() bool { return strings.Contains(r.admin("worlds"), "online") })
}

func ready(g *gatepass) bool { status, _, err := g.get("/readyz"); return err == nil && status == 200 }

func healthy(g *gatepass) bool {
	status, body, err := g.get("/healthz")
	return err == nil && status == 200 && body == "ok\n"
}

// degraded tells whether a process says that it lives, and what it cannot do.
func degraded(g *gatepass, why string) bool {
	status, body, err := g.get("/healthz")
	return err == nil && status == 200 && strings.HasPrefix(body, "degraded: ") && strings.Contains(body, why)
}
