package testbed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strconv"

	"gatepass/codec/grunt"
	"gatepass/perf/load"
	"gatepass/perf/load/patch"
	"gatepass/perf/load/players"
)

// PatchedOptions configures a server with a patch in its catalogue.
type PatchedOptions struct {
	// Accounts are those of all clients. Native makes them accounts of the native protocol;
	// nil: grunt.
	Accounts []players.Account
	Native   *players.Native
	File     *patch.File
	// Build is the build to which the patch updates. It starts from patch.OldBuild(Build).
	Build grunt.Build
	// Env has settings in the form NAME=VALUE.
	Env []string
}

// PatchPath returns the path at which the caller must make the patch's file.
func (s *Testbed) PatchPath() string { return filepath.Join(s.dir, "patch") }

// StartPatched makes a store with the accounts, adds the patch to the catalogue and starts
// 'gatepass dev'. Further calls restart the server with other settings.
func (s *Testbed) StartPatched(ctx context.Context, o PatchedOptions) (load.Target, error) {
	if s.server != nil {
		err := s.server.stop()
		if s.server = nil; err != nil {
			return load.Target{}, fmt.Errorf("load: server at its end: %w", err)
		}
	} else if err := s.importAll(ctx, &o); err != nil {
		return load.Target{}, err
	}
	if o.Native != nil {
		return s.start(ctx, 1, o.Env)
	}
	return s.start(ctx, 0, o.Env)
}

// importAll makes the server's data folder.
func (s *Testbed) importAll(ctx context.Context, o *PatchedOptions) error {
	file := importOptions{"accounts.csv", "grunt", func(w io.Writer) error {
		return players.WriteAccounts(w, append([]players.Account{{Name: demoName, Password: demoName}}, o.Accounts...))
	}}
	if o.Native != nil {
		file = importOptions{"accounts.ndjson", "native", func(w io.Writer) error {
			return errors.Join(players.NewNative([]players.Account{{Name: demoName}}, false).WriteNDJSON(w), o.Native.WriteNDJSON(w))
		}}
	}
	if err := s.importAccounts(ctx, file); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, s.binary, "patch", "add", o.File.Path, "--data", s.data(), "--protocol", file.protocol,
		"--from", strconv.Itoa(int(patch.OldBuild(o.Build))), "--to", strconv.Itoa(int(o.Build)), "--require", "--quiet").CombinedOutput()
	if err != nil {
		return fmt.Errorf("load: add the patch: %w\n%s", err, out[max(0, len(out)-tailBytes):])
	}
	return nil
}

// Collect makes the server collect its garbage now. It may only be called after the server
// has started.
func (s *Testbed) Collect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.server.value("admin")+"/debug/pprof/heap?gc=1", nil)
	if err != nil {
		return fmt.Errorf("load: collect garbage: %w", err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("load: collect garbage: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("load: collect garbage: the server says %s", answer.Status)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

// StartPatchFloor starts 'gatepass bench patch floor' with the file.
func (s *Testbed) StartPatchFloor(ctx context.Context, file *patch.File) (load.Target, error) {
	var err error
	s.floor, err = startProcess(ctx, processOptions{
		Name: "floor", Dir: s.dir, Binary: s.binary,
		Args: []string{"bench", "patch", "floor", "--listen", "127.0.0.1:0", "--file", file.Path},
	})
	if err != nil {
		return load.Target{}, err
	}
	addr, err := netip.ParseAddrPort(s.floor.ready)
	if err != nil {
		return load.Target{}, fmt.Errorf("load: the floor does not say where it listens: %w", err)
	}
	return load.Target{Addr: addr, PIDs: []int{s.floor.pid()}, Canned: true}, nil
}
