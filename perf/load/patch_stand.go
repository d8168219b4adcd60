package load

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
)

// PatchedOptions is a stand's server with a patch in its catalogue.
type PatchedOptions struct {
	// Accounts are all that play. Native makes them accounts of the native protocol; nil:
	// grunt.
	Accounts []Account
	Native   *Players
	File     *PatchFile
	// Build is the one that the patch leads to, from OldBuild of it.
	Build grunt.Build
	// Env are settings in the form of the environment.
	Env []string
}

// PatchPath is where the stand's patch is to be made.
func (s *Stand) PatchPath() string { return filepath.Join(s.dir, "patch") }

// StartPatched makes a store with the accounts, puts the patch into the catalogue and
// starts 'gatepass dev'. A server that the stand has started so before it ends and starts
// anew with these settings.
func (s *Stand) StartPatched(ctx context.Context, o PatchedOptions) (Target, error) {
	if s.server != nil {
		err := s.server.stop()
		if s.server = nil; err != nil {
			return Target{}, fmt.Errorf("load: server at its end: %w", err)
		}
	} else if err := s.fill(ctx, &o); err != nil {
		return Target{}, err
	}
	if o.Native != nil {
		return s.start(ctx, 1, o.Env)
	}
	return s.start(ctx, 0, o.Env)
}

// fill makes the server's folder.
func (s *Stand) fill(ctx context.Context, o *PatchedOptions) error {
	file := importOptions{"accounts.csv", "grunt", func(w io.Writer) error {
		return WriteAccounts(w, append([]Account{{demoName, demoName}}, o.Accounts...))
	}}
	if o.Native != nil {
		file = importOptions{"accounts.ndjson", "native", func(w io.Writer) error {
			return errors.Join(NewPlayers([]Account{{Name: demoName}}, false).WriteNDJSON(w), o.Native.WriteNDJSON(w))
		}}
	}
	if err := s.importAccounts(ctx, file); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, s.binary, "patch", "add", o.File.Path, "--data", s.data(), "--protocol", file.protocol,
		"--from", strconv.Itoa(int(OldBuild(o.Build))), "--to", strconv.Itoa(int(o.Build)), "--require", "--quiet").CombinedOutput()
	if err != nil {
		return fmt.Errorf("load: add the patch: %w\n%s", err, out[max(0, len(out)-tailBytes):])
	}
	return nil
}

// Collect lets the server collect its garbage now. Only after it has started.
func (s *Stand) Collect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.server.said("admin")+"/debug/pprof/heap?gc=1", nil)
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
func (s *Stand) StartPatchFloor(ctx context.Context, file *PatchFile) (Target, error) {
	var err error
	s.floor, err = startChild(ctx, childOptions{
		Name: "floor", Dir: s.dir, Binary: s.binary,
		Args: []string{"bench", "patch", "floor", "--listen", "127.0.0.1:0", "--file", file.Path},
	})
	if err != nil {
		return Target{}, err
	}
	addr, err := netip.ParseAddrPort(s.floor.ready)
	if err != nil {
		return Target{}, fmt.Errorf("load: the floor does not say where it listens: %w", err)
	}
	return Target{Addr: addr, PIDs: []int{s.floor.pid()}, Canned: true}, nil
}
