package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	native "gatepass/client"
)

// jsonDebug makes every role say all it can, as JSON.
var jsonDebug = []string{"GATEPASS_LOG__FORMAT=json", "GATEPASS_LOG__LEVEL=debug"}

// TestLog_JSONDay: a whole day of every role, in which each kind of thing happens that is
// logged. All that the processes print, on both outputs, is one stream of objects whose
// values are words.
func TestLog_JSONDay(t *testing.T) {
	t.Parallel()
	r := newRegion(t, []string{"manager.a", "login.one", "world.1", "dns.a"}, append(slices.Clone(jsonDebug), allBuilds)...)
	r.addPlayers(2, "one")
	manager := r.manager("a")
	r.nameServer()
	f := newPatchFile(t, 4096)
	addPatch(t, r.loginData("one"), wayVanilla, f)
	login := r.login("one", ownLoopback()+":0")
	gate := r.gate(1, 10, ownLoopback()+":0")

	p := &player{edition: vanilla, account: who{"P0", "SECRET0"}}
	must(t, p.login(login.grunt))
	p.sees(t, "its world", online(1))
	must(t, p.comeBack(login.grunt))
	p.leave()
	dial(t, login.grunt, vanilla).mustFail(who{"P0", "WRONG"}, 4)
	dial(t, login.grunt, vanilla).mustFail(who{"NOBODY", "WRONG"}, 4)
	updated := dial(t, login.grunt, aged)
	updated.offered(who{"P1", "SECRET1"}, f)
	updated.send(acceptFile)
	updated.mustGet(f.content)
	login.untilOutcome("update-done", 1)
	updated.close()

	login.addNative("ana", "secret")
	ana := mustSignIn(t, login.said["native"], "ana", "secret")
	if _, err := signIn(t, login.said["native"], native.Credentials{Account: "ana", Password: "wrong"}, guestOptions()); err == nil {
		t.Error("a wrong password signs in")
	}
	r.admin("notice", "the day is over soon")
	login.account("", "ban", "ana", "--forever", "--reason", "a test")
	ana.ended()
	login.account("", "ban", "--address", "198.51.100.0/24", "--forever")
	r.admin("maintenance", "on")
	r.admin("maintenance", "off")

	gate.kill()
	p = &player{edition: vanilla, account: who{"P0", "SECRET0"}}
	must(t, p.login(login.grunt))
	p.sees(t, "its world offline", func(l map[byte]realm) bool { w := l[1]; return w.offline() })
	p.leave()
	gate.reaped = true
	gate = r.gate(1, 10, ownLoopback()+":0")
	manager.kill()
	manager = r.manager("a")
	eventually(t, "a manager leads", func() bool { return leads(manager) })
	gate.signal(syscall.SIGTERM)
	gate.wait()
	r.stop()

	var day jsonDay
	for _, g := range r.runs {
		day.take(t, g)
	}
	day.check(t)
}

// jsonDay is what all lines of a day say.
type jsonDay struct {
	messages map[string]int
	accounts map[string]bool
	ready    int
}

// take reads all that a process has printed.
func (d *jsonDay) take(t *testing.T, g *gatepass) {
	t.Helper()
	if d.messages == nil {
		d.messages, d.accounts = make(map[string]int), make(map[string]bool)
	}
	for line := range strings.Lines(g.stdout.String() + g.stderr.String()) {
		var all map[string]any
		if err := json.Unmarshal([]byte(line), &all); err != nil {
			t.Errorf("%v: no object: %q", g.cmd.Args[1:3], line)
			continue
		}
		if _, err := time.Parse(time.RFC3339Nano, fmt.Sprint(all["time"])); err != nil || all["level"] == nil || all["msg"] == nil {
			t.Errorf("%v: no time, level or message: %s", g.cmd.Args[1:3], line)
		}
		for name, value := range all {
			if fault := oddValue(name, value); fault != "" {
				t.Errorf("%v: %s is %s: %s", g.cmd.Args[1:3], name, fault, line)
			}
		}
		message := fmt.Sprint(all["msg"])
		d.messages[message]++
		if account, ok := all["account"].(string); ok {
			d.accounts[account] = true
		}
		if result, ok := all["result"].(string); ok {
			d.messages["result "+result]++
		}
		if message == "ready" {
			d.ready++
		}
	}
}

// counted are the names of values that are numbers to an operator too.
var counted = []string{
	"build", "world", "worlds", "accounts", "procs", "reactors", "max-conns", "epoch", "process", "uid", "connections",
	"connections-left", "revoked", "offset", "core", "depth", "limit", "refused", "failures", "keys",
	"offered", "patches", "marks",
}

// oddValue tells what nobody would search for: a number for a word, bytes as numbers.
func oddValue(name string, value any) string {
	switch v := value.(type) {
	case float64:
		if !slices.Contains(counted, name) {
			return "a bare number"
		}
	case []any:
		for _, each := range v {
			if _, number := each.(float64); number {
				return "a list of numbers"
			}
		}
	case map[string]any:
		return "an object"
	}
	return ""
}

// check wants the day to have had what it is about.
func (d *jsonDay) check(t *testing.T) {
	t.Helper()
	for _, want := range []string{
		"ready", "draining", "drained", "logged-in", "reconnected", "refused", "update-offered", "update-done",
		"kicked", "account changed", "address bans changed", "maintenance", "bus: registered", "bus: this manager leads",
		"login server is named", "result bad-credentials",
	} {
		if d.messages[want] == 0 {
			t.Errorf("no line says %q", want)
		}
	}
	for _, want := range []string{"P0", "ANA"} {
		if !d.accounts[want] {
			t.Errorf("no line is about the account %s", want)
		}
	}
	if d.ready != 7 { // bus, two managers, DNS, login server, two gates
		t.Errorf("%d lines say that a process is ready, of 7", d.ready)
	}
	if t.Failed() {
		t.Logf("messages: %v", d.messages)
	}
}
