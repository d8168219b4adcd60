//go:build linux

package testbed

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"gatepass/perf/load"
	"gatepass/perf/load/floor"
	"gatepass/perf/load/players"
	"gatepass/perf/load/progress"
)

// processVariable makes the test binary behave as gatepass, or as a bad one.
const processVariable = "GATEPASS_LOAD_TEST_CHILD"

func TestMain(m *testing.M) {
	mainOfProcess()
	goleak.VerifyTestMain(m)
}

// mainOfProcess behaves as the testbed's binary if the variable is set. Its
// server is a floor, because these tests are about processes.
func mainOfProcess() {
	how := os.Getenv(processVariable)
	if how == "" {
		return
	}
	arg := func(i int) string { return append(os.Args, "", "", "")[i] }
	switch {
	case how == "dies":
		fmt.Fprintln(os.Stderr, "out of "+"paper")
		os.Exit(3)
	case arg(1) == "account":
		os.Exit(importFile(os.Args[len(os.Args)-1]))
	case arg(1) == "dev":
		serveFloor(os.Args[5])
	case arg(2) == "floor":
		serveFloor(os.Args[4])
	}
	os.Exit(2)
}

func importFile(name string) int {
	f, err := os.Open(name)
	if err != nil {
		return 1
	}
	defer f.Close()
	accounts, err := players.ReadAccounts(f)
	if err != nil || len(accounts) != 11 { // and the demo account
		return 1
	}
	return 0
}

func serveFloor(listen string) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	floor, err := floor.Listen(netip.MustParseAddrPort(listen))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("a line before")
	fmt.Println("ready", floor.Addr())
	if floor.Serve(ctx) != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

func mustTestbed(t *testing.T, how string) *Testbed {
	t.Helper()
	t.Setenv(processVariable, how)
	t.Setenv("GORACE", "atexit_sleep_ms=0") // a child under the race detector ends at once
	stand, err := New(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stand.Close() }) // for a test that failed before it closed
	return stand
}

func TestRounds_OwnTestbed_ReportsBothAndTheRatio(t *testing.T) {
	stand := mustTestbed(t, "serves")
	ctx, accounts := context.Background(), players.MakeAccounts(10)
	server, err := stand.StartServer(ctx, accounts)
	if err != nil {
		t.Fatal(err)
	}
	floor, err := stand.StartFloor(ctx)
	if err != nil {
		t.Fatal(err)
	}
	server.Canned = true // it is a floor too
	r := load.Rounds{
		Floor: &floor, Server: server, Times: 2, Progress: progress.New(new(strings.Builder)),
		Login: load.LoginOptions{Clients: load.Clients{Accounts: accounts}, Count: 200},
	}
	report, err := r.Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Servers) != 2 || report.TimesFloor <= 0 {
		t.Fatalf("report %+v, want both and the ratio", report)
	}
	for _, s := range report.Servers {
		if s.Plans[0].Logins != 400 || s.ServerCPU <= 0 || s.ClientCPU <= 0 || s.RSS <= 0 {
			t.Errorf("%s: %+v, want 400 logins, measured", s.Name, s)
		}
	}
	if err := stand.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if _, err := os.Stat(stand.dir); !os.IsNotExist(err) {
		t.Errorf("the stand's folder is still there: %v", err)
	}
}

func TestTestbed_ServerDies_SaysWhy(t *testing.T) {
	stand := mustTestbed(t, "dies")
	_, err := stand.StartServer(context.Background(), players.MakeAccounts(10))
	if err == nil || !strings.Contains(err.Error(), "out of paper") {
		t.Errorf("err = %v, want what the child said", err)
	}
	if _, err := stand.StartFloor(context.Background()); err == nil || !strings.Contains(err.Error(), "out of paper") {
		t.Errorf("err = %v, want what the child said", err)
	}
	if err := stand.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func TestTestbed_NoBinary(t *testing.T) {
	stand, err := New("/nonexistent/gatepass")
	if err != nil {
		t.Fatal(err)
	}
	defer stand.Close()
	if _, err := stand.StartFloor(context.Background()); err == nil {
		t.Error("started what does not exist")
	}
}
