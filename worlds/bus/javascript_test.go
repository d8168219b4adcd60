package bus

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"gatepass/codec/world"
	"gatepass/worlds"
)

// TestExampleJS runs the world of docs/examples/world-js, as a reader would
// install it, on a real bus with a real manager.
func TestExampleJS(t *testing.T) {
	t.Parallel()
	folder := installExample(t)
	s := newStage(t)
	s.manage("manager.a", ManagerOptions{Heartbeat: 200 * time.Millisecond}).mustLead(t)
	list := s.correspond("login.eu2", 2)
	holder := s.hold("login.eu1")
	alice, bob := [40]byte{1, 2, 3}, [40]byte{4, 5, 6}
	holder.login(t, "ALICE", &alice)
	holder.login(t, "BOB", &bob)

	js := startExample(t, folder, "WORLD=7", "BUS=nats://"+s.options.Listen, "CREDS="+s.credsOf("world.7"), "NAME=Javaland")
	js.expect(t, "registered")
	eventually(t, "the world is online", func() bool { return list.shows(7, false) })

	js.knock(t, "ALICE", &alice)
	js.expect(t, "admitted ALICE")
	holder.expect(t, worlds.OutcomeLeft, "ALICE")
	js.knock(t, "BOB", &alice) // who is not Bob
	js.expect(t, "refused BOB: proof")
	list.locate("ALICE", 1)
	eventually(t, "the place", func() bool { return list.count(isPlace) == 1 })
	if p := list.find(isPlace).Place; p.Holder != "world.7" {
		t.Errorf("%+v", p)
	}
	list.submit(worlds.Effect{End: &worlds.AccountEnd{Account: mustName(t, "ALICE"), Why: "ban"}})
	js.expect(t, "ended ALICE: ban")

	if err := js.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the world is offline", func() bool { return list.shows(7, true) })
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
		b, err := os.ReadFile(filepath.Join("../../docs/examples/world-js", file))
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
	case <-time.After(patience):
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

// holder is a login server as far as keys go.
type holder struct {
	node *Node

	mu       sync.Mutex
	passes   *worlds.Passes[struct{}]
	outcomes []worlds.Outcome[struct{}]
}

func (s *stage) hold(node worlds.Node) *holder {
	s.tb.Helper()
	return s.holdAs(worlds.PassOptions[struct{}]{
		Self: node, Incarnation: 1,
		Gives: func(to worlds.Node) bool { return to.Kind() == worlds.KindWorld },
		Verify: func(held *worlds.Held[struct{}], p *worlds.Proof) bool {
			return p.Digest == world.Digest(held.Account.Bytes(), p.ClientSeed, p.ServerSeed, (*[40]byte)(held.Key().Bytes()))
		},
	})
}

func (s *stage) holdAs(o worlds.PassOptions[struct{}]) *holder {
	s.tb.Helper()
	vouchers := worlds.NewVouchers(nil)
	if o.Self.Kind() == worlds.KindLogin {
		o.Vouchers = vouchers
	}
	h := &holder{passes: worlds.NewPasses(o)}
	ready := make(chan struct{})
	conn := s.connect(o.Self)
	var err error
	h.node, err = conn.Node(NodeOptions{Incarnation: 1, Deliver: func(e worlds.Event) {
		<-ready
		if e.Move != nil {
			h.do(func() { h.passes.Handle(e.From, e.Move) })
		}
		if e.Snapshot != nil {
			h.do(func() { vouchers.SetKey(&e.Snapshot.VoucherKey) })
		}
		if e.Up && o.Self.Kind() == worlds.KindLogin {
			h.node.Submit([]worlds.Effect{{AskSnapshot: true}})
		}
	}})
	close(ready)
	if err == nil {
		err = conn.nats.Flush() // what others say from now on reaches it
	}
	if err != nil {
		s.tb.Fatal(err)
	}
	return h
}

// do runs f and sends what comes of it.
func (h *holder) do(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
	var effects []worlds.Effect
	for _, out := range h.passes.Outgoing() {
		effects = append(effects, worlds.Effect{To: out.To, Move: &out.Move})
	}
	h.node.Submit(effects)
	h.outcomes = append(h.outcomes, h.passes.Outcomes()...)
}

func (h *holder) login(t *testing.T, account string, key *[40]byte) {
	t.Helper()
	secret := worlds.NewSecret(key[:])
	h.do(func() { h.passes.Hold(mustName(t, account), 1, &secret) })
	h.node.Submit([]worlds.Effect{announce(account, 1, worlds.AnnounceFresh)})
}

func (h *holder) expect(t *testing.T, kind worlds.OutcomeKind, account string) {
	t.Helper()
	eventually(t, fmt.Sprintf("outcome %d of %s", kind, account), func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, o := range h.outcomes {
			if o.Kind == kind && o.Account == mustName(t, account) {
				return true
			}
		}
		return false
	})
}
