//go:build linux

package load

import (
	"context"
	"errors"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatepass/perf/load/floor"
	"gatepass/perf/load/internal/loadtest"
	"gatepass/perf/load/patch"
	"gatepass/perf/load/players"
	"gatepass/perf/load/progress"
)

// mustFile makes a file of so many bytes.
func mustFile(t testing.TB, size uint64) *patch.File {
	t.Helper()
	f, err := patch.MakeFile(context.Background(), filepath.Join(t.TempDir(), "patch"), size, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// mustPatchFloor serves a floor with a file until the test ends.
func mustPatchFloor(t testing.TB, f *patch.File) Target {
	t.Helper()
	floor, err := floor.ListenPatch(netip.MustParseAddrPort("127.0.0.1:0"), f.Path)
	if err != nil {
		t.Fatal(err)
	}
	loadtest.Run(t, floor.Serve)
	return Target{Addr: floor.Addr(), Canned: true, PIDs: self()}
}

// downloaders are clients of their own accounts.
func downloaders(n int, byNative bool) Clients {
	c := Clients{Accounts: players.MakeAccounts(n)}
	if byNative {
		c.Native = players.NewNative(c.Accounts, false)
	}
	return c
}

func TestRunThroughput_Floor_SendsWholeFiles(t *testing.T) {
	for _, size := range []uint64{1, 4096, 2<<20 + 4095} {
		file := mustFile(t, size)
		floor := mustPatchFloor(t, file)
		whole := false
		for turn := 100 * time.Millisecond; !whole; turn *= 2 { // a busy machine needs a longer one
			o := ThroughputOptions{
				Clients: downloaders(6, false), Floor: &floor, File: file, Downloaders: 6, Checkers: 2,
				Warmup: time.Millisecond, Duration: turn, Times: 1,
			}
			run, err := RunThroughput(context.Background(), floor, o, progress.New(new(strings.Builder)))
			if err != nil {
				t.Fatal(err)
			}
			o.EnsureDefaults()
			servers := run.Report(&o).Servers
			whole = !slices.ContainsFunc(servers, func(s SendReport) bool {
				return s.Files == 0 || s.Bytes == 0 || s.Checked == 0 || len(s.Faults) > 0
			})
			if !whole && turn > 5*time.Second {
				t.Fatalf("%d bytes: %+v, want whole files", size, servers)
			}
		}
	}
}

func TestRunStalled_Floor_HoldsThemAll(t *testing.T) {
	file := mustFile(t, 8<<20)
	floor := mustPatchFloor(t, file)
	o := StalledOptions{Clients: downloaders(50, false), File: file, Transfers: 50, Settle: time.Millisecond, Hold: time.Millisecond}
	run, err := RunStalled(context.Background(), floor, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := run.Report()
	if r.Offered != 50 || r.Held != 50 || r.Dropped != 0 || len(r.Faults) > 0 || r.Before == 0 || r.After == 0 || r.End == 0 {
		t.Errorf("%+v, want 50 held", r)
	}
}

func TestRunStalled_NoProcess(t *testing.T) {
	_, err := RunStalled(context.Background(), Target{}, StalledOptions{Clients: downloaders(1, false), File: mustFile(t, 1), Transfers: 1}, nil)
	if !errors.Is(err, ErrNoProcess) {
		t.Errorf("err = %v, want ErrNoProcess", err)
	}
}

func TestPatchOptions_Validate_NamesEachFault(t *testing.T) {
	for _, c := range []struct {
		o    interface{ Validate() error }
		want []string
	}{
		{&ThroughputOptions{Downloaders: 3, Checkers: 4}, []string{"no accounts", "0 accounts for 3 clients", "no file", "4 of 3 clients check", "rounds 0"}},
		{&StalledOptions{Settle: -1}, []string{"clients 0: want 1", "a negative length"}},
		{&BesideOptions{Login: LoginOptions{Rate: -1}}, []string{"rate -1", "rounds 0"}},
	} {
		err := c.o.Validate()
		if !errors.Is(err, ErrOptions) {
			t.Fatalf("%T: %v, want ErrOptions", c.o, err)
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%T: %v does not say %q", c.o, err, want)
			}
		}
	}
}
