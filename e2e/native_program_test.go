package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// clientArgs are a command line of `gatepass client` for an account whose password is
// "secret".
func clientArgs(t testing.TB, g *gatepass, account string, more ...string) []string {
	t.Helper()
	return append([]string{
		"client", g.said["native"], "--account", account, "--json", "--tokens", t.TempDir(),
		"--password-file", writeFile(t, "password", "secret\n"),
	}, more...)
}

// clientLine is a line of `gatepass client --json`.
type clientLine struct {
	Event, Reason, Text, Factor string
	World                       json.RawMessage // an id, or a whole world
	Worlds                      []struct {
		ID     int
		Status string
	}
	text string
}

// clientProcess is a `gatepass client` that runs.
type clientProcess struct {
	t      testing.TB
	cmd    *exec.Cmd
	in     io.WriteCloser
	lines  chan clientLine
	stderr *lockedBuffer
}

func startClient(t testing.TB, args ...string) *clientProcess {
	t.Helper()
	p := &clientProcess{t: t, cmd: command(args...), lines: make(chan clientLine, 1000), stderr: new(lockedBuffer)}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.cmd.Stderr = p.stderr
	out, err := p.cmd.StdoutPipe()
	must(t, err)
	p.in, err = p.cmd.StdinPipe()
	must(t, err)
	must(t, p.cmd.Start())
	t.Cleanup(func() { _ = p.cmd.Process.Kill() }) // it may have ended
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			l := clientLine{text: s.Text()}
			if err := json.Unmarshal(s.Bytes(), &l); err != nil {
				l.Event = "no JSON"
			}
			p.lines <- l
		}
	}()
	return p
}

func (p *clientProcess) say(command string) {
	p.t.Helper()
	_, err := io.WriteString(p.in, command+"\n")
	must(p.t, err)
}

// until waits for an event with that text in its line.
func (p *clientProcess) until(event, text string) clientLine {
	p.t.Helper()
	var before []string
	for late := time.After(patience); ; {
		select {
		case l, more := <-p.lines:
			if !more {
				p.t.Fatalf("it ended without %q with %s:\n%s\n%s", event, text, strings.Join(before, "\n"), p.stderr)
			}
			if l.Event == event && strings.Contains(l.text, text) {
				return l
			}
			before = append(before, l.text)
		case <-late:
			p.t.Fatalf("no %q with %s:\n%s\n%s", event, text, strings.Join(before, "\n"), p.stderr)
		}
	}
}

// wait takes the rest of what it says and returns the exit code.
func (p *clientProcess) wait() int {
	p.t.Helper()
	timer := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	for range p.lines {
	}
	_ = p.cmd.Wait() // its outcome is in ProcessState
	return p.cmd.ProcessState.ExitCode()
}

// TestNative_Client runs `gatepass client` as a script does: commands go in, events
// come out, and how it ended is its exit code.
func TestNative_Client(t *testing.T) {
	t.Parallel()
	g, demos := startNative(t, append(hasty, "GATEPASS_GATEWAY__CAPACITY=1")...)
	for _, name := range []string{"ana", "bea", "cora"} {
		g.addNative(name, "secret")
	}
	g.account("0417\n", "factor", "--pin-stdin", "cora")

	once := startClient(t, clientArgs(t, g, "ana", "--once")...)
	if all := once.until("worlds", "Demo 1.12").Worlds; len(all) != 2 || all[0].Status != "online" || all[1].Status != "online" {
		t.Errorf("the worlds are %v", all)
	}
	if code := once.wait(); code != 0 {
		t.Errorf("exit code %d\n%s", code, once.stderr)
	}

	ana := startClient(t, clientArgs(t, g, "ana", "--remember")...)
	ana.until("signed-in", "")
	ana.say("select 1")
	ana.until("pass", `"world":1`)
	ana.say("enter")
	ana.until("entered", `"world":1`)

	bea := startClient(t, clientArgs(t, g, "bea", "--world", "1", "--enter")...)
	bea.until("queue", `"position":1`)
	adminOf(t, g, "notice", "hello, world")
	bea.until("notice", "hello, world")
	checkWorlds(t, g, demos[1], "online", "1/1")
	ana.until("notice", "hello, world")
	ana.say("release")
	ana.until("released", "")
	bea.until("entered", `"world":1`)

	// By the token that ana has kept, from elsewhere.
	tokens := ana.cmd.Args[slices.Index(ana.cmd.Args, "--tokens")+1]
	second := startClient(t, "client", g.said["native"], "--account", "ana", "--json", "--tokens", tokens)
	second.until("signed-in", "")
	ana.until("kicked", "replaced")
	if code := ana.wait(); code != 3 {
		t.Errorf("who was replaced exits with %d\n%s", code, ana.stderr)
	}
	second.say("select 77")
	second.until("error", `"unknown"`)
	second.say("dance")
	second.until("error", "")
	second.say("quit")
	if code := second.wait(); code != 0 {
		t.Errorf("exit code %d\n%s", code, second.stderr)
	}

	cora := startClient(t, clientArgs(t, g, "cora")...)
	cora.until("code-wanted", "")
	cora.say("code 0417")
	cora.until("worlds", "")
	cora.say("quit")
	if code := cora.wait(); code != 0 {
		t.Errorf("exit code %d\n%s", code, cora.stderr)
	}
}

// TestNative_ClientRefused: what went wrong is said by the exit code and by one line,
// for scripts and for people, without the password.
func TestNative_ClientRefused(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	g.addNative("ana", "secret")
	for _, c := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"wrong password", []string{g.said["native"], "--account", "ana", "--password-file", writeFile(t, "pw", "wr0ngpw\n")}, 3, "bad-credentials"},
		{"unknown account", []string{g.said["native"], "--account", "nobody", "--password-file", writeFile(t, "pw", "wr0ngpw\n")}, 3, "bad-credentials"},
		{"no server", []string{"127.0.0.1:1", "--account", "ana", "--password-file", writeFile(t, "pw", "wr0ngpw\n")}, 1, "refused"},
		{"no password file", []string{g.said["native"], "--account", "ana", "--password-file", "/nowhere"}, 1, "/nowhere"},
		{"a name that cannot be", []string{g.said["native"], "--account", "a:b", "--password-file", writeFile(t, "pw", "wr0ngpw\n")}, 2, "account name"},
		{"build 0", []string{g.said["native"], "--account", "ana", "--build", "0"}, 2, "build"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out := runs(t, append([]string{"client", "--json", "--once", "--tokens", t.TempDir()}, c.args...)...)
			if code != c.code || !strings.Contains(out, c.says) || strings.Contains(out, "wr0ngpw") {
				t.Errorf("exit code %d, not %d, or without %q:\n%s", code, c.code, c.says, out)
			}
		})
	}
}
