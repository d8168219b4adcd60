//go:build linux

package load

import (
	"context"
	"strings"
	"testing"
	"time"

	"gatepass/perf/load/internal/counts"
	"gatepass/perf/load/internal/loadtest"
	"gatepass/perf/load/players"
)

func TestPatchReport_Text_ShowsAllParts(t *testing.T) {
	file := mustFile(t, 2<<20)
	floor := mustPatchFloor(t, file)
	o := ThroughputOptions{
		Clients: downloaders(4, false), Floor: &floor, File: file, Downloaders: 4, Checkers: 1,
		Warmup: time.Millisecond, Duration: 20 * time.Millisecond, Times: 1,
	}
	o.EnsureDefaults()
	sent, err := RunThroughput(context.Background(), floor, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	logins := players.MakeAccounts(20)
	beside := BesideOptions{
		Clients: downloaders(4, false), File: file, Downloaders: 4, Limit: 100 << 20, Times: 2,
		Login: LoginOptions{Clients: Clients{Accounts: logins}, Rate: 500, Warmup: time.Millisecond, Duration: 20 * time.Millisecond},
	}
	// A floor cannot do both: it offers the file to clients of the new build too, to which that is garbage.
	run, err := RunBeside(context.Background(), floor, beside, nil)
	if err != nil {
		t.Fatal(err)
	}
	report := NewPatchReport(&o.Clients, file)
	report.Patch.Throughput, report.Patch.Beside = sent.Report(&o), run.Report(&beside)
	report.Patch.Stalled = (&StalledRun{Wanted: 2, Offered: 2, Held: 2, After: 8192, KernelBefore: 4096, errors: counts.UpdateErrors{counts.UpdateWrongContent: 1}}).Report()
	var text, json strings.Builder
	if err := report.Text(&text); err != nil {
		t.Fatal(err)
	}
	if err := report.JSON(&json); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"patch, build 5875, a file of 2 MiB", "throughput, 4 clients", "one core sends", "whole files", "2 of 2", "4096", "wrong content",
		"beside them 4 clients were sent", "of 100.0 MiB/s", "median", "garbage",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text does not say %q:\n%s", want, text.String())
		}
	}
	if !strings.Contains(json.String(), `"rss_bytes_per_transfer": 4096`) || strings.Contains(json.String(), "socket_bytes") {
		t.Errorf("JSON: %s", json.String())
	}
}

func TestRunStalled_Native_HoldsThemAll(t *testing.T) {
	c := downloaders(20, true)
	file := mustFile(t, 2000) // as much as fits into what a client takes
	target := Target{Addr: loadtest.ServeUpdate(t, c.Native, &loadtest.Update{Path: file.Path}), PIDs: self()}
	collected := 0
	o := StalledOptions{
		Clients: c, File: file, Transfers: 20, Settle: time.Millisecond, Hold: time.Millisecond,
		Collect: func(context.Context) error { collected++; return nil },
	}
	run, err := RunStalled(context.Background(), target, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if run.Held != 20 || len(run.errors) > 0 || collected < 3 {
		t.Errorf("%d held, errors %v, %d collections", run.Held, run.errors, collected)
	}
}
