package load

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatepass/perf/load/internal/counts"
	"gatepass/perf/load/players"
)

// sampleRuns are a floor's run and a server's with known numbers.
func sampleRuns() (floor, server *LoginRun) {
	floor = &LoginRun{
		Elapsed: 10 * time.Second, Logins: 100_000, ServerCPU: 3 * time.Second, ClientCPU: 6 * time.Second,
		RSS: 5 << 20, counts: counts.NewLogins(),
	}
	server = &LoginRun{
		Elapsed: 10 * time.Second, Logins: 90_000, ServerCPU: 4500 * time.Millisecond, ClientCPU: 6300 * time.Millisecond,
		RSS: 64 << 20, Late: 12, counts: counts.NewLogins(),
	}
	for i := range 1000 {
		d := time.Duration(i+1) * 10 * time.Microsecond
		floor.counts.Record(counts.PlanRight, counts.PartWhole, d)
		server.counts.Record(counts.PlanRight, counts.PartWhole, 2*d)
		server.counts.Record(counts.PlanRight, counts.PartProof, d)
		server.counts.Record(counts.PlanWrong, counts.PartProof, d)
	}
	floor.counts.Done[counts.PlanRight] = 100_000
	server.counts.Done[counts.PlanRight], server.counts.Done[counts.PlanWrong] = 89_000, 1000
	server.counts.Faults[counts.FaultPorts], server.counts.Faults[counts.FaultTimeout] = 3, 1
	return floor, server
}

func sampleReport() *Report {
	floor, server := sampleRuns()
	r := &Report{Scenario: "login", Protocol: players.Grunt, Build: 5875, Load: "32 at once", TimesFloor: ratio(server.perLogin(), floor.perLogin())}
	r.include(floor, "floor")
	r.include(server, "server")
	return r
}

func sampleNative() *Report {
	_, server := sampleRuns()
	r := &Report{
		Scenario: "login", Protocol: "native", Build: 5875, Load: "32 at once", Arithmetic: 40, TimesArithmetic: server.perLogin() / 40,
	}
	r.include(server, "server")
	return r
}

func sampleHold() *Report {
	run := &HoldRun{
		Wanted: 15_000, Held: 15_000, Ramp: 5 * time.Second, Before: 40 << 20, After: 60 << 20, End: 61 << 20,
		Stayed: 10 * time.Second, Lists: 7, Idle: 3 * time.Millisecond, Interrupted: true, counts: counts.NewLogins(),
	}
	return run.Report(&HoldOptions{Clients: Clients{Build: 12340}})
}

func sampleWorlds() *Report {
	run := &WorldsRun{Wanted: 15_000, Held: 14_998, counts: counts.NewLogins(), Changes: []WorldChange{
		{Online: true, Shown: 14_998, First: 2 * time.Millisecond, P50: 60 * time.Millisecond, P99: 110 * time.Millisecond,
			Last: 123400 * time.Microsecond, ServerCPU: 90 * time.Millisecond},
		{Shown: 14_990, First: time.Millisecond, P50: 50 * time.Millisecond, P99: 100 * time.Millisecond,
			Last: 101 * time.Millisecond, ServerCPU: 80 * time.Millisecond},
	}}
	run.counts.Faults[counts.FaultTimeout] = 2
	return run.Report(&WorldsOptions{Hold: HoldOptions{Clients: Clients{Build: 5875}}})
}

func samplePass() *Report {
	run := &PassRun{Wanted: 10_000, Held: 10_000, counts: counts.NewLogins(), Legs: []LegRun{
		{Leg: counts.LegGate, Elapsed: 10 * time.Second, ServerCPU: time.Second, GateCPU: 900 * time.Millisecond,
			ClientCPU: 500 * time.Millisecond, counts: counts.NewMoves()},
		{Leg: counts.LegBack, Elapsed: 10 * time.Second, counts: counts.NewMoves()},
	}}
	to := run.Legs[0].counts
	to.Done, to.Faults["gate: db-busy"] = 9999, 1
	for i := range 1000 {
		d := time.Duration(i+1) * 5 * time.Microsecond
		to.Record(counts.MoveProof, d)
		to.Record(counts.MoveWhole, 2*d)
	}
	run.Legs[1].counts.Done = 9999
	return run.Report(&PassOptions{Hold: HoldOptions{Clients: Clients{Build: 5875}}, Rate: 1000, Arrivals: ArrivalsPoisson})
}

func TestReport_Golden(t *testing.T) {
	for name, r := range map[string]*Report{
		"login": sampleReport(), "native": sampleNative(), "hold": sampleHold(), "worlds": sampleWorlds(), "pass": samplePass(),
	} {
		var text, object bytes.Buffer
		if err := r.Text(&text); err != nil {
			t.Fatal(err)
		}
		if err := r.JSON(&object); err != nil {
			t.Fatal(err)
		}
		compareGolden(t, name+".txt", text.Bytes())
		compareGolden(t, name+".json", object.Bytes())
	}
}

// rewrite makes the golden files anew; look at their diff.
var rewrite = flag.Bool("rewrite", false, "rewrite testdata")

func compareGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs:\n%s", name, got)
	}
}

func TestReport_JSON_ComesBack(t *testing.T) {
	var b bytes.Buffer
	if err := sampleReport().JSON(&b); err != nil {
		t.Fatal(err)
	}
	var r Report
	if err := json.Unmarshal(b.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if r.TimesFloor != 50.0/30 || r.Servers[1].ServerCPU != 50 || r.Servers[1].PerSecond != 9000 {
		t.Errorf("report = %+v", r)
	}
}

func TestTimes_Quantiles(t *testing.T) {
	h := counts.NewLogins()
	for i := range 10_000 {
		h.Record(counts.PlanRight, counts.PartList, time.Duration(i+1)*time.Microsecond)
	}
	got := timesOf(h.Times[counts.PlanRight][counts.PartList])
	for name, pair := range map[string][2]float64{
		"p50": {got.P50, 5000}, "p99": {got.P99, 9900}, "p99.9": {got.P999, 9990}, "max": {got.Max, 10_000},
	} {
		if off := pair[0]/pair[1] - 1; off < -0.001 || off > 0.001 {
			t.Errorf("%s = %v, want %v within a thousandth", name, pair[0], pair[1])
		}
	}
}

func TestLogins_Record_BeyondTheRange_IsKeptAtItsEnd(t *testing.T) {
	h := counts.NewLogins()
	h.Record(counts.PlanRight, counts.PartWhole, time.Hour)
	if got := timesOf(h.Times[counts.PlanRight][counts.PartWhole]).Max; got < 119e6 {
		t.Errorf("max = %v µs, want about two minutes", got)
	}
}

func TestLoginRun_Add_IsAsIfItHadGoneOn(t *testing.T) {
	a, b := sampleRuns()
	a.add(b)
	if a.Logins != 190_000 || a.Elapsed != 20*time.Second || a.ServerCPU != 7500*time.Millisecond ||
		a.Late != 12 || a.RSS != 64<<20 || a.counts.Failed() != 4 ||
		a.counts.Times[counts.PlanRight][counts.PartWhole].TotalCount() != 2000 {
		t.Errorf("sum = %+v", a)
	}
}
