//go:build linux

package load

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatepass/codec/grunt"
	"gatepass/perf/load/floor"
	"gatepass/perf/load/internal/counts"
	"gatepass/perf/load/internal/engine"
	"gatepass/perf/load/internal/loadtest"
	"gatepass/perf/load/internal/usage"
	"gatepass/perf/load/players"
)

// mustFloor serves a floor until the test ends.
func mustFloor(t testing.TB) Target {
	t.Helper()
	floor, err := floor.Listen(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	loadtest.Run(t, floor.Serve)
	return Target{Addr: floor.Addr(), Canned: true, PIDs: self()}
}

func mustLogin(t testing.TB, target Target, o LoginOptions) *LoginRun {
	t.Helper()
	if o.Accounts == nil {
		o.Accounts = players.MakeAccounts(50)
	}
	run, err := RunLogin(context.Background(), target, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func TestRunLogin_Floor_CountsEachLoginOnce(t *testing.T) {
	target := mustFloor(t)
	for _, build := range []grunt.Build{grunt.Build1121, grunt.Build243, grunt.Build335} {
		run := mustLogin(t, target, LoginOptions{Clients: Clients{Build: build}, Count: 300})
		if run.counts.Done[counts.PlanRight] != 300 || run.counts.Failed() != 0 {
			t.Errorf("build %d: %d done, %v failed, want 300 and none", build, run.counts.Done[counts.PlanRight], run.counts.FaultCounts())
		}
		for part := range counts.PartCount {
			if n := run.counts.Times[counts.PlanRight][part].TotalCount(); n != 300 {
				t.Errorf("build %d: %d times of %v, want 300", build, n, part)
			}
		}
		if run.RSS == 0 || run.Elapsed <= 0 || run.Interrupted {
			t.Errorf("build %d: not measured: %+v", build, run)
		}
	}
}

func TestRunLogin_Threads_ShareTheCount(t *testing.T) {
	run := mustLogin(t, mustFloor(t), LoginOptions{Clients: Clients{Threads: 3}, Count: 100, Concurrency: 7})
	if n := run.counts.Completed(); n != 100 {
		t.Errorf("%d logins, want 100", n)
	}
}

func TestRunLogin_OpenLoop_BeginsWhatIsDue(t *testing.T) {
	run := mustLogin(t, mustFloor(t), LoginOptions{Rate: 5000, Arrivals: ArrivalsEven, Count: 200})
	if n := run.counts.Completed(); n != 200 || run.counts.Failed() != 0 {
		t.Errorf("%d logins, %v failed, want 200 and none", n, run.counts.FaultCounts())
	}
}

func TestRunLogin_ContextEnds_ReportsWhatThereIs(t *testing.T) {
	target := mustFloor(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	o := LoginOptions{Clients: Clients{Accounts: players.MakeAccounts(5)}, Duration: time.Hour, Warmup: time.Hour}
	o.EnsureDefaults()
	c, err := engine.NewWorkers(o.workers(target))
	if err != nil {
		t.Fatal(err)
	}
	c.Start()
	run, err := measureLogins(ctx, c, loginRun{target: target, options: o, proc: usage.NewReader()})
	if err != nil || !run.Interrupted {
		t.Errorf("run = %+v, %v, want an interrupted one", run, err)
	}
}

func TestRunLogin_NobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	target := Target{Addr: l.Addr().(*net.TCPAddr).AddrPort()}
	l.Close()
	_, err = RunLogin(context.Background(), target, LoginOptions{Clients: Clients{Accounts: players.MakeAccounts(1)}}, nil)
	if err == nil {
		t.Error("a run against nobody gave no error")
	}
}

func TestRunLogin_ProcessGone(t *testing.T) {
	target := mustFloor(t)
	target.PIDs = []int{1 << 30}
	_, err := RunLogin(context.Background(), target, LoginOptions{Clients: Clients{Accounts: players.MakeAccounts(1)}, Count: 1}, nil)
	if !errors.Is(err, usage.ErrProcessGone) {
		t.Errorf("err = %v, want usage.ErrProcessGone", err)
	}
}

func TestRunHold_Floor_HoldsThemAll(t *testing.T) {
	target := mustFloor(t)
	o := HoldOptions{
		Clients: Clients{Accounts: players.MakeAccounts(20), Build: grunt.Build335}, Connections: 200, Rate: 10_000, Warmup: 50,
		Settle: time.Millisecond, Hold: time.Millisecond, ListEvery: time.Millisecond,
	}
	run, err := RunHold(context.Background(), target, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if run.counts.Completed() != 200 || run.Dropped != 0 || run.counts.Failed() != 0 {
		t.Errorf("%d logged in, %d dropped, failed %v", run.counts.Completed(), run.Dropped, run.counts.FaultCounts())
	}
	if run.Before == 0 || run.After == 0 || run.End == 0 {
		t.Errorf("memory was not read: %+v", run)
	}
}

func TestRunHold_NoProcess(t *testing.T) {
	_, err := RunHold(context.Background(), Target{}, HoldOptions{Clients: Clients{Accounts: players.MakeAccounts(1)}}, nil)
	if !errors.Is(err, ErrNoProcess) {
		t.Errorf("err = %v, want ErrNoProcess", err)
	}
}

func TestEngine_ListWhileHeld_AsksAgainAndAgain(t *testing.T) {
	c := mustHold(t, mustFloor(t), 4)
	loadtest.Await(t, func() bool { return c.Lists() >= 40 })
	c.Stop(engine.StopNow)
	if c.Dropped() != 0 || c.Logins().Failed() != 0 {
		t.Errorf("%d dropped, failed %v", c.Dropped(), c.Logins().FaultCounts())
	}
}

// mustHold starts workers that hold n connections and request the list every
// millisecond. The caller stops it.
func mustHold(t *testing.T, target Target, n int) *engine.Workers {
	t.Helper()
	h := holdRun{target: target, options: HoldOptions{
		Clients: Clients{Accounts: players.MakeAccounts(n)}, Connections: n, Rate: 10_000, ListEvery: time.Millisecond,
	}}
	h.options.EnsureDefaults()
	c, err := engine.NewWorkers(h.options.workers(h.target))
	if err != nil {
		t.Fatal(err)
	}
	c.Measuring.Store(true)
	c.Start()
	return c
}
