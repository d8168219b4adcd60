package lead

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"gatepass/codec/world"
	"gatepass/worlds"
	"gatepass/worlds/bus/bustest"
)

// TestExampleJS runs the world of docs/examples/world-js, as a reader would
// install it, on a real bus with a real manager.
func TestExampleJS(t *testing.T) {
	t.Parallel()
	folder := installExample(t)
	s := bustest.NewStage(t)
	manage(s, "manager.a", ManagerOptions{Heartbeat: 200 * time.Millisecond}).mustLead(t)
	list := s.Correspond("login.eu2", 2)
	holder := s.Hold("login.eu1")
	alice, bob := [40]byte{1, 2, 3}, [40]byte{4, 5, 6}
	holder.Login("ALICE", &alice)
	holder.Login("BOB", &bob)

	js := startExample(t, folder, "WORLD=7", "BUS=nats://"+s.Options.Listen, "CREDS="+s.CredsOf("world.7"), "NAME=Javaland")
	js.expect(t, "registered")
	bustest.Eventually(t, "the world is online", func() bool { return list.Shows(7, false) })

	js.knock(t, "ALICE", &alice)
	js.expect(t, "admitted ALICE")
	holder.Expect(worlds.OutcomeLeft, "ALICE")
	js.knock(t, "BOB", &alice) // who is not Bob
	js.expect(t, "refused BOB: proof")
	list.Locate("ALICE", 1)
	bustest.Eventually(t, "the place", func() bool { return list.Count(bustest.IsPlace) == 1 })
	if p := list.Find(bustest.IsPlace).Place; p.Holder != "world.7" {
		t.Errorf("%+v", p)
	}
	list.Submit(worlds.Effect{End: &worlds.AccountEnd{Account: bustest.MustName(t, "ALICE"), Why: "ban"}})
	js.expect(t, "ended ALICE: ban")

	if err := js.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	bustest.Eventually(t, "the world is offline", func() bool { return list.Shows(7, true) })
	if err := js.command.Wait(); err != nil {
		t.Error(err)
	}
}

// installExample copies the example and installs what its lock file names. It
// skips where there is no node, but never in CI.
func installExample(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil && os.Getenv("CI") == "" {
			t.Skip(tool, " is not installed; on Debian: apt-get install nodejs npm")
		} else if err != nil {
			t.Fatal(err)
		}
	}
	folder := t.TempDir()
	for _, file := range []string{"package.json", "package-lock.json", "world.mjs"} {
		b, err := os.ReadFile(filepath.Join("../../../docs/examples/world-js", file))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, file), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	install := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	install.Dir = folder
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	return folder
}

type example struct {
	command *exec.Cmd
	in      io.Writer
	lines   chan string
}

func startExample(t *testing.T, folder string, env ...string) *example {
	t.Helper()
	e := &example{command: exec.Command("node", "world.mjs"), lines: make(chan string, 100)}
	e.command.Dir, e.command.Env, e.command.Stderr = folder, append(os.Environ(), env...), os.Stderr
	out, err := e.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if e.in, err = e.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := e.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.command.Process.Kill() }) // it may have ended
	go func() {
		defer close(e.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			e.lines <- s.Text()
		}
	}()
	return e
}

func (e *example) expect(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-e.lines:
		if got != want {
			t.Fatalf("the example says %q, not %q", got, want)
		}
	case <-time.After(bustest.Patience):
		t.Fatalf("the example does not say %q", want)
	}
}

// knock is what a client sends whose key is that.
func (e *example) knock(t *testing.T, account string, key *[40]byte) {
	t.Helper()
	client, server := [4]byte{9, 8}, [4]byte{7, 6}
	digest := world.Digest([]byte(account), client, server, key)
	line := fmt.Sprintf("%s %s %s %s\n", account, hex.EncodeToString(client[:]), hex.EncodeToString(server[:]), hex.EncodeToString(digest[:]))
	if _, err := io.WriteString(e.in, line); err != nil {
		t.Fatal(err)
	}
}
