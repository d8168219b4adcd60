package e2e

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestRegion_FloodOfTheBus: strangers that hold connections to the port of the bus
// without a word keep no process from starting, and none that runs from its work.
// No other test runs meanwhile: it takes the processor.
func TestRegion_FloodOfTheBus(t *testing.T) {
	r := newRegion(t, []string{"manager.a", "login.a", "login.b", "world.1"})
	m := r.manager("a")
	eventually(t, "a manager leads", func() bool { return leads(m) })
	floodBus(t, strings.TrimPrefix(r.via, "nats://"))
	eventually(t, "strangers are cut", func() bool { return r.bus.metric("gatepass_bus_strangers_cut_total") > 100 })
	for _, g := range []*gatepass{r.login("a", "127.0.0.1:0"), r.login("b", "127.0.0.1:0"), r.gate(1, 10, "127.0.0.1:0")} {
		eventuallyWithin(t, 3*patience, "it is on the bus and ready", func() bool { return g.metric("gatepass_bus_up") == 1 && ready(g) })
	}
	if n := m.metric("gatepass_bus_disconnects_total"); n != 0 {
		t.Errorf("the manager lost its connection %v times", n)
	}
}

// floodBus opens hundreds of connections a second without a word until the test ends.
func floodBus(t *testing.T, addr string) {
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	hold := func() {
		var dialer net.Dialer
		if c, err := dialer.DialContext(ctx, "tcp", addr); err == nil {
			defer c.Close()
			defer context.AfterFunc(ctx, func() { c.Close() })()
			_, _ = io.Copy(io.Discard, c) // until it is cut
		}
	}
	running.Go(func() {
		pace := time.NewTicker(2 * time.Millisecond)
		defer pace.Stop()
		for ctx.Err() == nil {
			<-pace.C
			running.Go(hold)
		}
	})
	t.Cleanup(func() { stop(); running.Wait() })
}
