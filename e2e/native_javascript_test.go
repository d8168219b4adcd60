package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// exampleClient is docs/examples/client-js, installed in a folder of its own.
type exampleClient struct {
	t      testing.TB
	folder string
	server string // host:port
}

// TestNative_JavaScript runs the client of docs/examples/client-js, as a reader would
// install it. It was made from the contract alone, so that both have a second
// reading.
func TestNative_JavaScript(t *testing.T) {
	t.Parallel()
	folder := installClient(t)
	g, demos := startNative(t)
	g.addNative("ana", "s3cret, Sesame")
	g.account("4711\n", "factor", "--pin-stdin", "ana")
	e := &exampleClient{t, folder, g.said["native"]}

	first := e.run("ACCOUNT=Ana", "PASSWORD=s3cret, Sesame", "CODE=4711", "DEVICE=ana.json", "WORLD=2")
	first.say(t, "signed in", `"by":"password"`)
	first.say(t, "worlds", `"Demo 1.12 (1)"`)
	first.say(t, "remembered", `"until":"20`)
	first.say(t, "signed in", `"by":"token"`)
	first.say(t, "worlds", `"STATUS_ONLINE"`)
	first.say(t, "pass", `"world":2`)
	first.say(t, "entered", `"world":2`)
	first.say(t, "pong", `"number":7`) // of the gate
	first.say(t, "pong", `"number":7`)
	first.end(t, 0)

	second := e.run("ACCOUNT=ANA", "DEVICE=ana.json")
	second.say(t, "signed in", `"by":"token"`)
	second.say(t, "entered", `"world":1`)
	second.end(t, 0)

	// A copy of the token is of no use once the original went on.
	stolen, err := os.ReadFile(filepath.Join(folder, "ana.json"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(folder, "stolen.json"), stolen, 0o600))
	e.run("ACCOUNT=ANA", "DEVICE=ana.json").end(t, 0)
	thief := e.run("ACCOUNT=ANA", "PASSWORD=guess", "DEVICE=stolen.json")
	thief.say(t, "forgotten", "")
	thief.say(t, "failed", `"RESULT_BAD_CREDENTIALS"`)
	thief.end(t, 1)
	checkWorlds(t, g, demos[2], "online", "0/1000")
}

// installClient copies the example and installs what its lock file names. It skips
// where there is no node, but never in CI.
func installClient(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil && os.Getenv("CI") == "" {
			t.Skip(tool, " is not installed; on Debian: apt-get install nodejs npm")
		} else if err != nil {
			t.Fatal(err)
		}
	}
	folder := t.TempDir()
	for _, file := range []string{"package.json", "package-lock.json", "client.mjs", "gatepass.mjs", "update.mjs"} {
		b, err := os.ReadFile(filepath.Join("../docs/examples/client-js", file))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(folder, file), b, 0o600))
	}
	install := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	install.Dir = folder
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	return folder
}

// exampleRun is what one run of the example said.
type exampleRun struct {
	lines  []string // that nobody asked for yet
	all    string
	stderr string
	code   int
}

// run runs the example to its end.
func (e *exampleClient) run(env ...string) *exampleRun {
	e.t.Helper()
	proto, err := filepath.Abs("../codec/native/gatepass.proto")
	must(e.t, err)
	cmd := exec.Command("node", "client.mjs")
	cmd.Dir, cmd.Env = e.folder, append(os.Environ(), append(env, "SERVER="+e.server, "PROTO="+proto)...)
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	must(e.t, cmd.Start())
	timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	_ = cmd.Wait() // its outcome is in ProcessState
	all := strings.TrimSpace(out.String())
	return &exampleRun{strings.Split(all, "\n"), all, complaints.String(), cmd.ProcessState.ExitCode()}
}

// say wants an event with that text in its line, behind those asked for before.
func (r *exampleRun) say(t testing.TB, event, text string) {
	t.Helper()
	for i, line := range r.lines {
		var e struct{ Event string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("no JSON: %q", line)
		}
		if e.Event == event && strings.Contains(line, text) {
			r.lines = r.lines[i+1:]
			return
		}
	}
	t.Fatalf("it does not say %q with %s:\n%s\n%s", event, text, r.all, r.stderr)
}

func (r *exampleRun) end(t testing.TB, code int) {
	t.Helper()
	if r.code != code || r.stderr != "" {
		t.Fatalf("exit code %d\n%s\n%s", r.code, r.all, r.stderr)
	}
}
