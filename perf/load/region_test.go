//go:build linux

package load

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"gatepass/codec/grunt"
	"gatepass/codec/world"
	"gatepass/perf/load/floor"
	"gatepass/perf/load/internal/counts"
	"gatepass/perf/load/internal/loadtest"
	"gatepass/perf/load/players"
)

// pusher is a server that answers with canned bytes and then pushes lists.
type pusher struct {
	mu    sync.Mutex
	conns []net.Conn // guarded by mu; those that have had their list
}

// serve plays one connection.
func (p *pusher) serve(conn net.Conn) {
	answers := floor.NewCanned()
	loadtest.Script(answers.Challenge, answers.Vanilla.Proof, answers.Vanilla.List)(&notingConn{Conn: conn, p: p})
}

// notingConn notes its connection when it is read from for the fourth time.
type notingConn struct {
	net.Conn
	p     *pusher
	reads int
}

func (c *notingConn) Read(b []byte) (int, error) {
	if c.reads++; c.reads == 4 {
		c.p.mu.Lock()
		c.p.conns = append(c.p.conns, c.Conn)
		c.p.mu.Unlock()
	}
	return c.Conn.Read(b)
}

// push sends everybody the bytes, in two parts to cut a message in the middle.
func (p *pusher) push(b []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all error
	for _, part := range [][]byte{b[:len(b)/2], b[len(b)/2:]} {
		for _, conn := range p.conns {
			_, err := conn.Write(part)
			all = errors.Join(all, err)
		}
	}
	return all
}

func holdOf(n int) HoldOptions {
	return HoldOptions{Clients: Clients{Accounts: players.MakeAccounts(n)}, Connections: n, Rate: 10_000}
}

func TestRunWorlds_EverybodyIsShownEachChange(t *testing.T) {
	p := &pusher{}
	target := mustServe(t, p.serve)
	target.Canned, target.PIDs = true, self()
	here := grunt.Realm{Name: "Here", Address: "127.0.0.1:2", ID: 2}
	lists := map[bool][]byte{true: loadtest.RealmList(t, grunt.Build1121, here)}
	here.Flags = grunt.RealmOffline
	lists[false] = loadtest.RealmList(t, grunt.Build1121, here)
	run, err := RunWorlds(context.Background(), target, WorldsOptions{
		Hold: holdOf(20), World: "Here", Changes: 3, Pause: 1,
		Set: func(_ context.Context, online bool) error { // the other state first: it must not count
			return p.push(append(append([]byte(nil), lists[!online]...), lists[online]...))
		},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if run.Held != 20 || len(run.Changes) != 3 || run.Interrupted || run.counts.Failed() != 0 {
		t.Fatalf("run %+v, want 20 held, 3 changes and nothing failed", run)
	}
	for i, c := range run.Changes {
		if c.Shown != 20 || c.Online != (i%2 == 0) || c.First <= 0 || c.Last < c.P50 || c.P50 < c.First {
			t.Errorf("change %d: %+v, want 20 shown, in order", i, c)
		}
	}
}

func TestRunWorlds_NobodyBringsTheWorld_Fails(t *testing.T) {
	p := &pusher{}
	target := mustServe(t, p.serve)
	target.Canned, target.PIDs = true, self()
	broken := errors.New("no bus")
	_, err := RunWorlds(context.Background(), target, WorldsOptions{
		Hold: holdOf(2), World: "Here", Pause: 1, Set: func(context.Context, bool) error { return broken },
	}, nil)
	if !errors.Is(err, broken) {
		t.Errorf("err = %v, want why", err)
	}
}

// refusingGate challenges and then refuses, in the clear as a gate does that has
// no key.
func refusingGate(conn net.Conn) {
	var b [512]byte
	out := world.ServerHeader{Size: 6, Opcode: world.SMSGAuthChallenge}.Append(nil, world.Era112)
	out = world.AppendAuthChallenge(out, world.Era112, &world.AuthChallenge{Seed: [4]byte{1, 2, 3, 4}})
	if _, err := conn.Write(out); err != nil {
		return
	}
	if n, err := conn.Read(b[:]); err != nil || n < 40 {
		return
	}
	_, _ = conn.Write([]byte{0, 3, 0xEE, 0x01, world.CodeUnknownAccount})
	_, _ = io.Copy(io.Discard, conn)
}

func TestRunPass_RefusedAtTheGate_IsCountedByItsCode(t *testing.T) {
	target := mustFloor(t)
	gate := mustServe(t, refusingGate)
	gate.PIDs = self()
	run, err := RunPass(context.Background(), target, PassOptions{
		Hold: holdOf(20), Gate: gate, Rate: 10_000, Settle: 1, Back: true,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(run.Legs) != 2 || run.Held != 20 {
		t.Fatalf("run %+v, want both legs and 20 held", run)
	}
	to, back := run.Legs[0].counts, run.Legs[1].counts
	if to.Done != 0 || to.Faults["gate: unknown-account"] != 20 || len(to.Faults) != 1 {
		t.Errorf("to the gate: %d done, failed %v, want 20 refused", to.Done, to.Faults)
	}
	if n := to.Times[counts.MoveGreeting].TotalCount(); n != 20 {
		t.Errorf("%d greetings, want 20", n)
	}
	if back.Done != 0 || len(back.Faults) != 0 {
		t.Errorf("back: %d done, failed %v, want nobody who could", back.Done, back.Faults)
	}
}

func TestRunPass_GateGone_Fails(t *testing.T) {
	gate := Target{Addr: mustServe(t, func(net.Conn) {}).Addr} // closes at once
	run, err := RunPass(context.Background(), mustFloor(t), PassOptions{Hold: holdOf(5), Gate: gate, Settle: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	faults := run.Legs[0].counts.Faults
	if n := faults[counts.FaultClosed.String()] + faults[counts.FaultReset.String()]; n != 5 {
		t.Errorf("failed %v, want 5 closed", faults)
	}
}

func TestRegionOptions_Validate_NamesEveryFault(t *testing.T) {
	w := WorldsOptions{Hold: HoldOptions{Connections: -1, Rate: 1}, Changes: -1, Pause: -1, Limit: 1}
	p := PassOptions{Hold: HoldOptions{Clients: Clients{Build: 65_000}, Connections: 2, Rate: 1}, Rate: -1, Arrivals: "often", Settle: -1}
	for err, words := range map[error][]string{
		w.Validate(): {"connections -1", "no name", "nobody brings", "changes -1", "pause"},
		p.Validate(): {"no accounts", "build 65000:", "0 accounts for 2", "rate -1", "often", "negative"},
	} {
		for _, word := range words {
			if !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), word) {
				t.Errorf("the error does not speak of %q: %v", word, err)
			}
		}
	}
}
