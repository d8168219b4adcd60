//go:build linux

package load

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"gatepass/codec/grunt"

	"go.uber.org/goleak"
)

// mustFloor serves a floor until the test ends.
func mustFloor(t testing.TB) Target {
	t.Helper()
	floor, err := ListenFloor(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- floor.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("floor: %v", err)
		}
	})
	return Target{Addr: floor.Addr(), Canned: true, PIDs: self()}
}

func mustLogin(t testing.TB, target Target, o LoginOptions) *LoginRun {
	t.Helper()
	if o.Accounts == nil {
		o.Accounts = MakeAccounts(50)
	}
	run, err := RunLogin(context.Background(), target, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func TestMain(m *testing.M) {
	mainOfChild()
	goleak.VerifyTestMain(m)
}

func TestRunLogin_Floor_CountsEachLoginOnce(t *testing.T) {
	target := mustFloor(t)
	for _, build := range []grunt.Build{grunt.Build1121, grunt.Build243, grunt.Build335} {
		run := mustLogin(t, target, LoginOptions{Clients: Clients{Build: build}, Count: 300})
		if run.tally.done[PlanRight] != 300 || run.tally.failed() != 0 {
			t.Errorf("build %d: %d done, %v failed, want 300 and none", build, run.tally.done[PlanRight], run.tally.faultCounts())
		}
		for part := range PartCount {
			if n := run.tally.times[PlanRight][part].TotalCount(); n != 300 {
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
	if n := run.tally.logins(); n != 100 {
		t.Errorf("%d logins, want 100", n)
	}
}

func TestRunLogin_OpenLoop_BeginsWhatIsDue(t *testing.T) {
	run := mustLogin(t, mustFloor(t), LoginOptions{Rate: 5000, Arrivals: ArrivalsEven, Count: 200})
	if n := run.tally.logins(); n != 200 || run.tally.failed() != 0 {
		t.Errorf("%d logins, %v failed, want 200 and none", n, run.tally.faultCounts())
	}
}

func TestRunLogin_ContextEnds_ReportsWhatThereIs(t *testing.T) {
	target := mustFloor(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	o := LoginOptions{Clients: Clients{Accounts: MakeAccounts(5)}, Duration: time.Hour, Warmup: time.Hour}
	o.EnsureDefaults()
	c, err := newCrew(o.crew(target))
	if err != nil {
		t.Fatal(err)
	}
	c.start()
	run, err := measureLogins(ctx, c, loginRun{target: target, options: o, proc: hostProc()})
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
	_, err = RunLogin(context.Background(), target, LoginOptions{Clients: Clients{Accounts: MakeAccounts(1)}}, nil)
	if err == nil {
		t.Error("a run against nobody gave no error")
	}
}

func TestRunLogin_ProcessGone(t *testing.T) {
	target := mustFloor(t)
	target.PIDs = []int{1 << 30}
	_, err := RunLogin(context.Background(), target, LoginOptions{Clients: Clients{Accounts: MakeAccounts(1)}, Count: 1}, nil)
	if !errors.Is(err, ErrProcessGone) {
		t.Errorf("err = %v, want ErrProcessGone", err)
	}
}

func TestRunHold_Floor_HoldsThemAll(t *testing.T) {
	target := mustFloor(t)
	o := HoldOptions{
		Clients: Clients{Accounts: MakeAccounts(20), Build: grunt.Build335}, Connections: 200, Rate: 10_000, Warmup: 50,
		Settle: time.Millisecond, Hold: time.Millisecond, ListEvery: time.Millisecond,
	}
	run, err := RunHold(context.Background(), target, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if run.tally.logins() != 200 || run.Dropped != 0 || run.tally.failed() != 0 {
		t.Errorf("%d logged in, %d dropped, failed %v", run.tally.logins(), run.Dropped, run.tally.faultCounts())
	}
	if run.Before == 0 || run.After == 0 || run.End == 0 {
		t.Errorf("memory was not read: %+v", run)
	}
}

func TestRunHold_NoProcess(t *testing.T) {
	_, err := RunHold(context.Background(), Target{}, HoldOptions{Clients: Clients{Accounts: MakeAccounts(1)}}, nil)
	if !errors.Is(err, ErrNoProcess) {
		t.Errorf("err = %v, want ErrNoProcess", err)
	}
}

// Neither a login nor the floor's answers to it may allocate once each account
// has been played.
func TestEngine_Login_AllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	target := mustFloor(t)
	accounts := MakeAccounts(20)
	c, err := newCrew((&LoginOptions{
		Clients:     Clients{Accounts: accounts, Threads: 1, Sources: 4, Build: grunt.Build335, Timeout: time.Minute},
		Concurrency: 8, Count: 100,
	}).crew(target))
	if err != nil {
		t.Fatal(err)
	}
	defer c.closePolls()
	c.measuring.Store(true)
	e := c.engines[0]
	e.run()
	const logins = 2000
	e.o.Limit += logins
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	e.run()
	runtime.ReadMemStats(&after)
	// The runtime itself allocates a little beside.
	if n := after.Mallocs - before.Mallocs; n > logins/20 {
		t.Errorf("%d allocations in %d logins, want none", n, logins)
	}
	if done := e.tally.done[PlanRight]; done != 100+logins {
		t.Errorf("%d logins done, failed %v", done, e.tally.faultCounts())
	}
}

func TestEngine_ListWhileHeld_AsksAgainAndAgain(t *testing.T) {
	c := mustHold(t, mustFloor(t), 4)
	await(t, func() bool { return c.lists() >= 40 })
	c.stop(stopNow)
	if c.dropped() != 0 || c.tally().failed() != 0 {
		t.Errorf("%d dropped, failed %v", c.dropped(), c.tally().faultCounts())
	}
}

// mustHold starts a crew that holds n connections and asks for the list every
// millisecond. The caller stops it.
func mustHold(t *testing.T, target Target, n int) *crew {
	t.Helper()
	h := holdRun{target: target, options: HoldOptions{
		Clients: Clients{Accounts: MakeAccounts(n)}, Connections: n, Rate: 10_000, ListEvery: time.Millisecond,
	}}
	h.options.EnsureDefaults()
	c, err := newCrew(h.options.crew(h.target))
	if err != nil {
		t.Fatal(err)
	}
	c.measuring.Store(true)
	c.start()
	return c
}

// await waits for what another goroutine is about to do.
func await(t *testing.T, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for !done() {
		if !pause(ctx, time.Millisecond) {
			t.Fatal("waited in vain")
		}
	}
}
