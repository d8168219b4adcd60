package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// heartbeatLimit is after how much silence a world is offline, with what a message
// takes that was on its way: the program's default, and a margin for a busy machine.
const heartbeatLimit = 3*2*time.Second + 4*time.Second

// demoWorld is a world of `gatepass dev`, as it says on its output.
type demoWorld struct {
	id   byte
	gate string
	pid  int
	line string // starts it again
}

// startDemo runs `gatepass dev` with its two demo worlds.
func startDemo(t testing.TB, env ...string) (*gatepass, map[byte]demoWorld) {
	t.Helper()
	nothing := writeFile(t, "empty.toml", "")
	g := start(t, setup{env: env, args: []string{"--config", nothing, "--demo-worlds", "2", "--grunt", ownLoopback() + ":0"}})
	all := make(map[byte]demoWorld)
	for line := range strings.Lines(g.stdout.String()) {
		var w demoWorld
		if n, _ := fmt.Sscanf(line, "demo world %d on %s process %d;", &w.id, &w.gate, &w.pid); n != 3 {
			continue
		}
		w.gate = strings.TrimSuffix(w.gate, ",")
		_, w.line, _ = strings.Cut(strings.TrimSpace(line), "start it again: ")
		all[w.id] = w
	}
	if len(all) != 2 {
		t.Fatalf("not two demo worlds in:\n%s", g.stdout)
	}
	return g, all
}

// ownLoopback is an address of this machine that nobody else uses: demo worlds like
// certain ports on the host of the login server, and tests run side by side.
func ownLoopback() string {
	return fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254))
}

// addPlayers makes accounts P0 to P(n-1) and players of them, of that edition.
func addPlayers(t testing.TB, g *gatepass, e edition, n int) []*player {
	t.Helper()
	g.account("", "import", writeFile(t, "players.csv", playersCSV(n)))
	all := make([]*player, n)
	for i := range all {
		all[i] = newPlayer(t, e, i)
	}
	return all
}

// playersCSV is a file of n accounts for `gatepass account import`.
func playersCSV(n int) string {
	var b strings.Builder
	b.WriteString("username,password\n")
	for i := range n {
		fmt.Fprintf(&b, "P%d,SECRET%d\n", i, i)
	}
	return b.String()
}

func newPlayer(t testing.TB, e edition, i int) *player {
	p := &player{edition: e, account: who{fmt.Sprintf("P%d", i), fmt.Sprintf("SECRET%d", i)}}
	t.Cleanup(p.leave)
	return p
}

// must fails the test unless err is nil.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// mustKnock goes into a world, or in line.
func (p *player) mustKnock(t testing.TB, addr string) *visit {
	t.Helper()
	v, err := p.knock(addr)
	if err != nil {
		t.Fatalf("%s at %s: %v", p.account.name, addr, err)
	}
	t.Cleanup(v.leave)
	return v
}

// sees polls until the player's list satisfies the condition, and returns how long
// that took.
func (p *player) sees(t testing.TB, what string, holds func(map[byte]realm) bool) time.Duration {
	t.Helper()
	begin := time.Now()
	eventually(t, p.account.name+" sees "+what, func() bool {
		list, err := p.realms()
		must(t, err)
		return holds(list)
	})
	return time.Since(begin)
}

// online tells whether world id is on a list and online.
func online(id byte) func(map[byte]realm) bool {
	return func(list map[byte]realm) bool { r, ok := list[id]; return ok && !r.offline() }
}

// offline tells whether world id is on a list and offline.
func offline(id byte) func(map[byte]realm) bool {
	return func(list map[byte]realm) bool { r, ok := list[id]; return ok && r.offline() }
}

// TestDev_WorldsComeAndGo is what `make run` shows: each build of a client sees its
// demo world online, offline within the heartbeat limit once its gate is killed, and
// online again once the line that was printed for it is run.
func TestDev_WorldsComeAndGo(t *testing.T) {
	t.Parallel()
	g, demos := startDemo(t)
	one := addPlayers(t, g, vanilla, 1)[0]
	two := &player{edition: wotlk, account: demo}
	t.Cleanup(two.leave)
	must(t, one.login(g.grunt))
	must(t, two.login(g.grunt))
	one.sees(t, "its world", func(l map[byte]realm) bool { return len(l) == 2 && online(1)(l) && offline(2)(l) })
	two.sees(t, "its world", func(l map[byte]realm) bool { return len(l) == 2 && online(2)(l) && offline(1)(l) })
	players := map[byte]*player{1: one, 2: two}
	visits := make(map[byte]*visit)
	for id, w := range demos {
		visits[id] = players[id].mustKnock(t, w.gate)
		must(t, visits[id].look())
		checkWorlds(t, g, w, "online", "1/1000")
	}
	killed := time.Now()
	for id, w := range demos {
		must(t, syscall.Kill(w.pid, syscall.SIGKILL))
		must(t, visits[id].ended())
	}
	for id, w := range demos {
		players[id].sees(t, "its world offline", offline(id))
		if took := time.Since(killed); took > heartbeatLimit {
			t.Errorf("world %d was offline after %v", id, took)
		}
		t.Logf("world %d: offline %v after it was killed", id, time.Since(killed))
		checkWorlds(t, g, w, "offline", "")
	}
	for id, w := range demos {
		runAgain(t, g, w)
		t.Logf("world %d: online %v after it was started again", id, players[id].sees(t, "its world online", online(id)))
		checkWorlds(t, g, w, "online", "0/1000")
		// Its key died with the gate, its password did not.
		must(t, players[id].login(g.grunt))
		must(t, players[id].mustKnock(t, w.gate).look())
	}
}

// runAgain runs the line that was printed for a demo world, in a shell as an
// operator would, until the end of the test.
func runAgain(t testing.TB, g *gatepass, w demoWorld) {
	t.Helper()
	cmd := exec.Command("sh", "-c", "exec "+w.line)
	cmd.Env = append(command().Env, g.settings()...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var out lockedBuffer
	cmd.Stdout, cmd.Stderr = &out, &out
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v\n%s", w.line, err, &out)
		}
	})
	eventually(t, "the gate is ready", func() bool { return strings.Contains(out.String(), "ready ") })
}

// settings are the variables of gatepass that g was started with.
func (g *gatepass) settings() (all []string) {
	for _, v := range g.cmd.Env {
		if strings.HasPrefix(v, "GATEPASS_") {
			all = append(all, v)
		}
	}
	return all
}

// adminOf runs `gatepass admin` as the operator of a region that dev runs.
func adminOf(t testing.TB, g *gatepass, args ...string) string {
	t.Helper()
	code, out := runs(t, append(append([]string{"admin"}, args...), "--data", g.data, "--bus.url", g.said["bus"])...)
	if code != 0 {
		t.Fatalf("admin %v: exit code %d\n%s", args, code, out)
	}
	return out
}

// checkWorlds looks for a world's line in `gatepass admin worlds`: its figures come
// with a heartbeat.
func checkWorlds(t testing.TB, g *gatepass, w demoWorld, state, players string) {
	t.Helper()
	var out string
	defer func() {
		if t.Failed() {
			t.Log(out)
		}
	}()
	eventually(t, fmt.Sprintf("world %d is %s with %s players", w.id, state, players), func() bool {
		out = adminOf(t, g, "worlds")
		for line := range strings.Lines(out) {
			words := strings.Fields(line)
			if words[0] == strconv.Itoa(int(w.id)) {
				return strings.Contains(line, " "+state+" ") && strings.Contains(line, " "+w.gate+" ") && strings.Contains(line, players)
			}
		}
		return false
	})
}

// TestDev_Admin: an operator sees worlds and login servers, and a reset empties the
// list until the worlds have come back by themselves, those who play stay.
func TestDev_Admin(t *testing.T) {
	t.Parallel()
	g, demos := startDemo(t)
	p := addPlayers(t, g, vanilla, 1)[0]
	must(t, p.login(g.grunt))
	p.sees(t, "its world", online(1))
	inside := p.mustKnock(t, demos[1].gate)
	eventually(t, "the login server is listed", func() bool {
		out := adminOf(t, g, "logins") + adminOf(t, g, "logins", "--json")
		for _, word := range []string{"dev", g.grunt, "serving", `"draining":false`} {
			if !strings.Contains(out, word) {
				return false
			}
		}
		return true
	})
	if out := adminOf(t, g, "worlds", "--json"); strings.Count(out, `"offline":false`) != 2 {
		t.Errorf("worlds: %s", out)
	}
	other := &player{edition: vanilla, account: demo}
	t.Cleanup(other.leave)
	must(t, other.login(g.grunt))
	if out := adminOf(t, g, "worlds", "reset"); !strings.Contains(out, "empty") {
		t.Errorf("reset: %s", out)
	}
	t.Logf("the worlds were back after %v", other.sees(t, "both worlds again", func(l map[byte]realm) bool { return len(l) == 2 && online(1)(l) }))
	must(t, inside.look())
	checkWorlds(t, g, demos[1], "online", "1/1000")
}

// TestDev_QuickClient: whoever knocks the moment the login server has taken the
// proof is let in, as one who looks at the list first.
func TestDev_QuickClient(t *testing.T) {
	t.Parallel()
	g, demos := startDemo(t)
	for i, p := range addPlayers(t, g, vanilla, 50) {
		must(t, p.login(g.grunt))
		v := p.mustKnock(t, demos[1].gate)
		if v.place != 0 {
			t.Fatalf("player %d has place %d in line", i, v.place)
		}
		must(t, v.look())
		v.leave()
	}
}

// TestDev_QuickClientAgain: the same with one account, whose former key is in the
// world still.
func TestDev_QuickClientAgain(t *testing.T) {
	t.Parallel()
	g, demos := startDemo(t)
	p := addPlayers(t, g, vanilla, 1)[0]
	var before *visit
	for range 50 {
		must(t, p.login(g.grunt))
		v := p.mustKnock(t, demos[1].gate)
		must(t, v.look())
		if before != nil {
			must(t, before.ended())
		}
		before = v
	}
}

// TestDev_Line: who comes to a full world stands in line, is told its place, and is
// let in when its turn comes; also one who has dropped meanwhile.
func TestDev_Line(t *testing.T) {
	t.Parallel()
	for _, e := range []edition{vanilla, wotlk} {
		t.Run(e.name, func(t *testing.T) {
			g, demos := startDemo(t, "GATEPASS_GATEWAY__CAPACITY=1")
			gate := demos[1].gate
			if e.build == wotlk.build {
				gate = demos[2].gate
			}
			all := addPlayers(t, g, e, 3)
			visits := make([]*visit, len(all))
			for i, p := range all {
				must(t, p.login(g.grunt))
				visits[i] = p.mustKnock(t, gate)
				if visits[i].place != uint32(i) {
					t.Fatalf("player %d has place %d", i, visits[i].place)
				}
			}
			must(t, visits[0].look())
			// The last one drops out of the line and is back at its place.
			visits[2].leave()
			visits[2] = all[2].mustKnock(t, gate)
			if visits[2].place != 2 {
				t.Errorf("back in line at place %d", visits[2].place)
			}
			visits[0].leave()
			must(t, visits[1].waitInLine())
			must(t, visits[1].look())
			for visits[2].place != 1 {
				must(t, visits[2].verdict())
			}
			visits[1].leave()
			must(t, visits[2].waitInLine())
			must(t, visits[2].look())
		})
	}
}

// TestDev_Refused: strangers at the gate are told the same, after the same time,
// whatever is wrong with them, and cost the one who plays nothing.
func TestDev_Refused(t *testing.T) {
	t.Parallel()
	g, demos := startDemo(t)
	gate := demos[1].gate
	all := addPlayers(t, g, vanilla, 3)
	inside, waits := all[0], all[1]
	must(t, inside.login(g.grunt))
	seen := inside.mustKnock(t, gate)
	must(t, waits.login(g.grunt))

	type attempt struct {
		name string
		do   func() error
	}
	wrong := inside.key
	wrong[7] ^= 1
	as := func(p *player, name string) *player {
		q := *p
		q.account.name, q.conn = name, nil
		return &q
	}
	try := func(p *player) func() error {
		return func() error {
			v, err := p.introduce(gate, wrong)
			if err != nil {
				return err
			}
			defer v.leave()
			return v.verdict()
		}
	}
	attempts := []attempt{
		{"wrong digest, key in the world", try(inside)},
		{"wrong digest, key at the login server", try(waits)},
		{"account that is not logged in", try(all[2])},
		{"account that nobody has", try(as(inside, "NOBODY"))},
		{"auth session of somebody else, replayed", func() error {
			v, _, err := inside.stand(gate)
			if err != nil {
				return err
			}
			defer v.leave()
			if err := v.send(seen.session); err != nil {
				return err
			}
			return v.verdict()
		}},
	}
	took := make([]time.Duration, len(attempts))
	var all5 sync.WaitGroup
	for i, a := range attempts {
		all5.Go(func() {
			begin := time.Now()
			if code, ok := refused(a.do()); !ok || code != 0x0D {
				t.Errorf("%s: code %#x, refused: %v", a.name, code, ok)
			}
			took[i] = time.Since(begin)
		})
	}
	all5.Wait()
	for i, a := range attempts {
		t.Logf("%s: refused after %v", a.name, took[i])
		if diff := (took[i] - took[0]).Abs(); diff > 500*time.Millisecond {
			t.Errorf("%s: refused after %v, others after %v", a.name, took[i], took[0])
		}
	}
	must(t, seen.look())
	must(t, waits.mustKnock(t, gate).look())
}

// TestDev_SecondLogin: a second login of an account ends the first, wherever it is.
func TestDev_SecondLogin(t *testing.T) {
	t.Parallel()
	g, demos := startDemo(t)
	first := addPlayers(t, g, wotlk, 1)[0]
	must(t, first.login(g.grunt))
	inside := first.mustKnock(t, demos[2].gate)
	second := newPlayer(t, wotlk, 0)
	must(t, second.login(g.grunt))
	must(t, inside.ended())
	must(t, second.mustKnock(t, demos[2].gate).look())
	if code, ok := refused(first.comeBack(g.grunt)); !ok || code != 4 {
		t.Errorf("the first one's key: refused %v, code %d", ok, code)
	}
}

// TestDev_Reconnect: whoever leaves a world is known again at the login server by
// the key, and may go back in, or elsewhere; after the grace it is not.
func TestDev_Reconnect(t *testing.T) {
	t.Parallel()
	grace := 3 * time.Second
	g, demos := startDemo(t, "GATEPASS_SESSIONS__RECONNECT_GRACE="+grace.String())
	p := addPlayers(t, g, vanilla, 1)[0]
	must(t, p.login(g.grunt))
	p.leave()
	for range 3 {
		v := p.mustKnock(t, demos[1].gate)
		must(t, v.look())
		v.leave()
		must(t, p.comeBack(g.grunt))
		p.sees(t, "its world", online(1))
	}
	// Straight back from the world, which ends what is there.
	v := p.mustKnock(t, demos[1].gate)
	must(t, p.comeBack(g.grunt))
	must(t, v.ended())
	// A connection to the world that drops for a moment.
	v = p.mustKnock(t, demos[1].gate)
	v.leave()
	must(t, p.mustKnock(t, demos[1].gate).look())

	end := p.mustKnock(t, demos[1].gate)
	eventually(t, "the directory counts the key", func() bool { return g.metric("gatepass_directory_keys") == 1 })
	end.leave()
	left := time.Now()
	eventually(t, "the gate has let go of the key", func() bool { return g.metric("gatepass_directory_keys") == 0 })
	if after := time.Since(left); after < grace-200*time.Millisecond {
		t.Errorf("the key was gone after %v, the grace is %v", after, grace)
	}
	if code, ok := refused(p.comeBack(g.grunt)); !ok || code != 4 {
		t.Errorf("reconnect after the grace: refused %v, code %d", ok, code)
	}
	if code, ok := refused(errorOf(p.knock(demos[1].gate))); !ok || code != 0x0D {
		t.Errorf("knock after the grace: refused %v, code %#x", ok, code)
	}
}

// errorOf is the error of a knock that should fail.
func errorOf(v *visit, err error) error {
	if v != nil {
		v.leave()
	}
	return err
}

// TestDev_DemoWorldsEndWithIt: however dev ends, its worlds do too.
func TestDev_DemoWorldsEndWithIt(t *testing.T) {
	t.Parallel()
	g, demos := startDemo(t)
	g.kill()
	for _, w := range demos {
		eventually(t, fmt.Sprintf("demo world %d has ended", w.id), func() bool {
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", w.pid))
			return err != nil || strings.Contains(string(status), ") Z ")
		})
	}
}
