package main

import (
	"bytes"
	"encoding/json"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"gatepass/admin"
	"gatepass/cmd/gatepass/internal/cli"
	"gatepass/cmd/gatepass/internal/cli/region"
	"gatepass/perf/load"
)

// mustRun runs a command to a good end and returns what it printed.
func mustRun(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	var out, errOut bytes.Buffer
	if code := run(args, strings.NewReader(stdin), &out, &errOut); code != 0 {
		t.Fatalf("%v: exit code %d: %s", args, code, errOut.String())
	}
	return out.String()
}

// reported is what a command of bench prints at its end.
func reported(t *testing.T) string {
	var b bytes.Buffer
	if err := (&load.Report{Scenario: "login"}).JSON(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// printed is what f writes.
func printed(t *testing.T, f func(io.Writer) error) string {
	var b bytes.Buffer
	if err := f(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestJSON_OneShape: each command that has --json prints objects, one after the other: of
// a list an object an entry, else one. want is how many of each are to be there.
func TestJSON_OneShape(t *testing.T) {
	data := filepath.Join(t.TempDir(), "d")
	for _, name := range []string{"ana", "bea"} {
		mustRun(t, "secret1\n", "account", "add", "--data", data, "--no-native", "--password-stdin", name)
	}
	authority := filepath.Join(t.TempDir(), "bus")
	mustRun(t, "", "bus", "init", "--dir", authority)
	mustRun(t, "", "bus", "add", "login.a", "--dir", authority)
	mustRun(t, "", "bus", "add", "world.1", "--dir", authority)
	entries := []admin.World{{}, {}}
	samples := map[string]struct {
		out  string
		want int
	}{
		"account list":    {mustRun(t, "", "account", "list", "--data", data, "--json"), 2},
		"account show":    {mustRun(t, "", "account", "show", "--data", data, "--json", "ana"), 1},
		"account devices": {mustRun(t, "", "account", "devices", "--data", data, "--json", "ana"), 0},
		"version":         {mustRun(t, "", "version", "--json"), 1},
		"store check":     {mustRun(t, "", "store", "check", "--data", data, "--json"), 1},
		"bus list":        {mustRun(t, "", "bus", "list", "--dir", authority, "--json"), 2},
		"patch list":      {mustRun(t, "", "patch", "list", "--data", data, "--json"), 1},
		"patch check":     {mustRun(t, "", "patch", "check", "--data", data, "--build", "5875", "--json"), 1},
		"admin worlds":    {printed(t, func(w io.Writer) error { return region.PrintWorlds(w, entries, true) }), 2},
		"admin logins":    {printed(t, func(w io.Writer) error { return region.PrintLogins(w, nil, true) }), 0},
		"bench login":     {reported(t), 1}, "bench hold": {reported(t), 1}, "bench worlds": {reported(t), 1},
		"bench pass": {reported(t), 1}, "bench patch": {reported(t), 1},
	}
	for path, s := range samples {
		from, n := json.NewDecoder(strings.NewReader(s.out)), 0
		for ; ; n++ {
			var object map[string]any
			if err := from.Decode(&object); err == io.EOF {
				break
			} else if err != nil {
				t.Errorf("%s: %v in %q", path, err, s.out)
				break
			}
		}
		if indented := strings.HasPrefix(path, "bench "); n != s.want || !indented && strings.Count(s.out, "\n") != n {
			t.Errorf("%s: %d objects, want %d, each on a line: %q", path, n, s.want, s.out)
		}
	}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		path := strings.TrimPrefix(c.CommandPath(), "gatepass ")
		// The package of client has this test of its own: nothing else can print its events.
		if _, sampled := samples[path]; c.Flags().Lookup("json") != nil && !sampled && path != "client" {
			t.Errorf("%s has --json and no sample here", path)
		}
		for _, each := range c.Commands() {
			walk(each)
		}
	}
	walk(cli.Root())
}
