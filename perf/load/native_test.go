//go:build linux

package load

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"gatepass/auth/srp6a"
	"gatepass/perf/load/internal/counts"
	"gatepass/perf/load/internal/loadtest"
	"gatepass/perf/load/players"
)

// mustNative serves players until the test ends.
func mustNative(t testing.TB, p *players.Native, change func(*loadtest.NativeServer)) (*loadtest.NativeServer, Target) {
	t.Helper()
	s, addr := loadtest.ServeNative(t, p, change)
	return s, Target{Addr: addr, PIDs: self()}
}

func nativeLogins(n int, byToken bool) LoginOptions {
	accounts := players.MakeAccounts(n)
	return LoginOptions{Clients: Clients{Accounts: accounts, Native: players.NewNative(accounts, byToken)}}
}

func TestRunLogin_Native_ByPassword(t *testing.T) {
	o := nativeLogins(20, false)
	o.Count, o.Concurrency, o.WrongPercent, o.UnknownPercent, o.Threads = 60, 8, 20, 20, 1
	server, target := mustNative(t, o.Native, nil)
	run := mustLogin(t, target, o)
	if run.counts.Failed() != 0 || run.counts.Completed() != 60 {
		t.Fatalf("%d logins, failed: %v", run.counts.Completed(), run.counts.FaultCounts())
	}
	for plan, n := range run.counts.Done {
		if n == 0 {
			t.Errorf("no login of the plan %v", counts.Plan(plan))
		}
	}
	if n := server.Logins[0]; n < int(run.counts.Done[counts.PlanRight]) { // some come before what counts
		t.Errorf("the server let %d in, the client counted %d", n, run.counts.Done[counts.PlanRight])
	}
}

// Each player is given a token once, and then signs in by it, again and again.
func TestRunLogin_Native_ByToken(t *testing.T) {
	o := nativeLogins(10, true)
	o.Count, o.Concurrency = 55, 32 // more at once than there are players
	server, target := mustNative(t, o.Native, nil)
	for i := range 2 {
		run := mustLogin(t, target, o)
		if run.counts.Failed() != 0 || run.counts.Done[counts.PlanRight] != 55 {
			t.Fatalf("round %d: %d logins, failed: %v", i, run.counts.Completed(), run.counts.FaultCounts())
		}
	}
	if server.Logins[0] != 10 || server.Logins[1] < 110 { // some come before what counts
		t.Errorf("%v logins by password and by token, want 10 and 110 or more", server.Logins)
	}
}

// A client that did not hear the answer shows both secrets the next time.
func TestRunLogin_Native_TokenWhoseAnswerWasLost(t *testing.T) {
	o := nativeLogins(4, true)
	o.Count, o.Concurrency = 40, 2
	_, target := mustNative(t, o.Native, func(s *loadtest.NativeServer) { s.Mute = 3 })
	run := mustLogin(t, target, o)
	// Some are cut off before what counts.
	if cut := run.counts.Faults[counts.FaultClosed]; cut > 3 || run.counts.Failed() != cut || run.counts.Completed() != 40-cut {
		t.Fatalf("%d logins, failed: %v, want none but up to 3 that were cut off", run.counts.Completed(), run.counts.FaultCounts())
	}
}

func TestRunLogin_Native_ServerThatProvesNothing(t *testing.T) {
	o := nativeLogins(4, false)
	o.Count = 5
	_, target := mustNative(t, o.Native, func(s *loadtest.NativeServer) { s.Wrong = true })
	if run := mustLogin(t, target, o); run.counts.Faults[counts.FaultProof] != 5 {
		t.Fatalf("failed: %v, want 5 for the proof", run.counts.FaultCounts())
	}
}

func TestRunHold_Native_AsksForSignsOfLife(t *testing.T) {
	o := HoldOptions{Connections: 30, Rate: 1e6, Warmup: 10, Settle: time.Millisecond, Hold: 100 * time.Millisecond, ListEvery: 20 * time.Millisecond}
	o.Accounts = players.MakeAccounts(30)
	o.Native = players.NewNative(o.Accounts, false)
	_, target := mustNative(t, o.Native, nil)
	run, err := RunHold(context.Background(), target, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if run.Held != 30 || run.Dropped != 0 || run.Lists < 30 || run.counts.Failed() != 0 {
		t.Errorf("%d held, %d dropped, %d answers, failed: %v", run.Held, run.Dropped, run.Lists, run.counts.FaultCounts())
	}
}

func TestRounds_Native_SetsBigNumbersBeside(t *testing.T) {
	o := nativeLogins(8, false)
	o.Count, o.Concurrency = 20, 4
	_, target := mustNative(t, o.Native, nil)
	report, err := (&Rounds{Server: target, Login: o, Times: 1}).Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if report.Protocol != "native" || report.Arithmetic < 100 || report.TimesArithmetic < 1 {
		t.Errorf("%q, big numbers %v µs, %v times", report.Protocol, report.Arithmetic, report.TimesArithmetic)
	}
}

func TestPlayers_WriteNDJSON(t *testing.T) {
	var b bytes.Buffer
	if err := players.NewNative(players.MakeAccounts(3), false).WriteNDJSON(&b); err != nil {
		t.Fatal(err)
	}
	lines := json.NewDecoder(&b)
	for i := range 3 {
		var line struct {
			Username string
			Others   struct{ Native string }
		}
		if err := lines.Decode(&line); err != nil {
			t.Fatal(err)
		}
		raw, err := hex.DecodeString(line.Others.Native)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := srp6a.ParseVerifier(raw); err != nil || line.Username != players.MakeAccounts(3)[i].Name {
			t.Errorf("line %d: %q, %v", i, line.Username, err)
		}
	}
}

func TestLoginOptions_Native_Faults(t *testing.T) {
	o := nativeLogins(3, true)
	o.Accounts, o.WrongPercent = o.Accounts[:2], 5
	o.EnsureDefaults()
	err := o.Validate()
	for _, want := range []string{"not those of the accounts", "neither wrong nor unknown"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}
