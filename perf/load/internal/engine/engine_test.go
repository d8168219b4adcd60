//go:build linux

package engine

import (
	"net/netip"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatepass/codec/grunt"
	"gatepass/perf/load/floor"
	"gatepass/perf/load/internal/counts"
	"gatepass/perf/load/internal/loadtest"
	"gatepass/perf/load/players"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serveFloor runs a floor until the test ends.
func serveFloor(t *testing.T) netip.AddrPort {
	t.Helper()
	floor, err := floor.Listen(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	loadtest.Run(t, floor.Serve)
	return floor.Addr()
}

// Neither a login nor the floor's answers to it may allocate once each account has been
// used.
func TestEngine_Login_AllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	sources := []netip.Addr{
		netip.AddrFrom4([4]byte{127, 0, 0, 2}), netip.AddrFrom4([4]byte{127, 0, 0, 3}),
		netip.AddrFrom4([4]byte{127, 0, 0, 4}), netip.AddrFrom4([4]byte{127, 0, 0, 5}),
	}
	c, err := NewWorkers(WorkersOptions{
		Threads: 1, Accounts: players.MakeAccounts(20),
		Engine: Options{
			Target: serveFloor(t), Sources: sources, Canned: true, Build: grunt.Build335, Timeout: time.Minute,
			Slots: 8, Busy: 8, Limit: 100,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.closePolls()
	c.Measuring.Store(true)
	e := c.engines[0]
	e.run()
	const logins = 2000
	e.o.Limit += logins
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	e.run()
	runtime.ReadMemStats(&after)
	// The runtime itself allocates a little at the same time.
	if n := after.Mallocs - before.Mallocs; n > logins/20 {
		t.Errorf("%d allocations in %d logins, want none", n, logins)
	}
	if done := e.counts.Done[counts.PlanRight]; done != 100+logins {
		t.Errorf("%d logins done, failed %v", done, e.counts.FaultCounts())
	}
}
