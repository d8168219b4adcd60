package e2e

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Bounds of the day: what the configuration says, and a margin for a machine that
// is busy with other tests.
const (
	dayMargin    = 4 * time.Second
	offlineBound = 3*time.Second + dayMargin // three heartbeats of a second
	leaseBound   = 3*time.Second + dayMargin
)

// guest is a player in the course of the day.
type guest struct {
	*player
	at    string // the login server, by IP address
	visit *visit // nil while it is at the list
	world byte
}

// day is what TestRegion_Day goes through.
type day struct {
	*testing.T
	r      *region
	a, b   *gatepass // login servers
	one    *gatepass // managers: the one that leads
	two    *gatepass
	gates  map[byte]*gatepass
	guests []*guest
	eyes   [2]*player // a client at the list of each login server, all day
	port   string     // of both login servers
	lost   map[string]int
	next   int // number of the first account nobody has used
}

// TestRegion_Day: two login servers, two managers, three gates and DNS, each a
// process, play a day with everything that happens to a region. What the design
// says is kept is kept for everybody; what it says is lost is counted.
func TestRegion_Day(t *testing.T) {
	t.Parallel()
	d := &day{T: t, lost: make(map[string]int)}
	crowd := 300
	if raced {
		crowd = 100
	}
	begin := time.Now()
	d.open(2 * crowd)
	t.Logf("the region stands after %v", time.Since(begin).Round(time.Millisecond))
	defer d.close()
	for _, scene := range []struct {
		name string
		play func()
	}{
		{"log-in storm", func() { d.storm(crowd) }},
		{"world crash", d.worldCrash},
		{"manager fail-over", d.failOver},
		{"login server crash", d.loginCrash},
		{"drain of a login server", d.drain},
		{"maintenance reset", d.reset},
	} {
		begin := time.Now()
		t.Logf("--- %s", scene.name)
		scene.play()
		d.untouched()
		t.Logf("    %s: %v", scene.name, time.Since(begin).Round(time.Millisecond))
	}
	for _, what := range slices.Sorted(maps.Keys(d.lost)) {
		t.Logf("lost, %s: %d", what, d.lost[what])
	}
}

// open starts the region.
func (d *day) open(accounts int) {
	d.r = newRegion(d, []string{"manager.a", "manager.b", "login.a", "login.b", "world.1", "world.2", "world.3", "dns.a"},
		"GATEPASS_REGION__HEARTBEAT=1s", "GATEPASS_DNS__RATE_LIMIT=100000")
	d.r.addPlayers(accounts, "a", "b")
	d.one, d.two = leader(d, d.r.manager("a"), d.r.manager("b"))
	// Clients know one port, so each login server has an address of its own.
	d.a = d.r.login("a", "127.0.0.11:0")
	d.port = portOf(d, d.a.grunt)
	d.b = d.r.login("b", net.JoinHostPort("127.0.0.12", d.port))
	d.gates = map[byte]*gatepass{
		1: d.r.gate(1, 1000, "127.0.0.1:0"), 2: d.r.gate(2, 1000, "127.0.0.1:0"), 3: d.r.gate(3, 2, "127.0.0.1:0"),
	}
	d.r.nameServer()
	eventually(d, "DNS names both login servers", func() bool { all, err := d.r.lookup(); return err == nil && len(all) == 2 })
	for i, g := range []*gatepass{d.a, d.b} {
		d.eyes[i] = d.fresh().player
		must(d, d.eyes[i].login(g.grunt))
		d.eyes[i].sees(d, "three worlds", func(l map[byte]realm) bool { return online(1)(l) && online(2)(l) && online(3)(l) })
	}
}

// close sends everybody home and has the region end.
func (d *day) close() {
	begin := time.Now()
	for _, g := range d.guests {
		if g.visit != nil {
			g.visit.leave()
		}
	}
	d.r.stop()
	d.Logf("the region has ended after %v", time.Since(begin).Round(time.Millisecond))
}

// fresh is a player that was not there before.
func (d *day) fresh() *guest {
	d.next++
	return &guest{player: newPlayer(d, vanilla, d.next-1)}
}

// choose picks a login server for a guest as its resolver does: the first one that
// DNS names, or another one when that has just failed.
func (d *day) choose(g *guest, failed bool) (addr string, err error) {
	all, err := d.r.lookup()
	if err != nil {
		return "", err
	}
	if failed && all[0] == g.at {
		all = all[1:]
	}
	if len(all) == 0 {
		return "", errors.New("DNS names no other login server")
	}
	g.at = all[0]
	return net.JoinHostPort(g.at, d.port), nil
}

// arrive logs a guest in, at whichever login server DNS says.
func (d *day) arrive(g *guest, again bool) (err error) {
	addr, err := d.choose(g, again)
	if err != nil {
		return err
	}
	if err := g.login(addr); err != nil {
		return fmt.Errorf("at %s: %w", g.at, err)
	}
	return nil
}

// enter looks at the list and walks into a world of it.
func (g *guest) enter(world byte) error {
	list, err := g.realms()
	if err != nil {
		return err
	}
	if !online(world)(list) {
		return fmt.Errorf("world %d is not online: %v", world, list)
	}
	if g.visit, err = g.knock(list[world].addr); err != nil {
		return err
	}
	if g.world = world; g.visit.place > 0 {
		return nil
	}
	return g.visit.look()
}

// home is what a guest does who has left its world: it comes back to a login
// server.
func (d *day) home(g *guest) error {
	if g.visit != nil {
		g.visit.leave()
		g.visit = nil
	}
	addr, err := d.choose(g, false)
	if err != nil {
		return err
	}
	return g.comeBack(addr)
}

// in are the guests in a world, or, with 0, at the list.
func (d *day) in(world byte) (all []*guest) {
	for _, g := range d.guests {
		if g.world == world {
			all = append(all, g)
		}
	}
	return all
}

// untouched wants everybody who is in a world to be there still.
func (d *day) untouched() {
	d.Helper()
	var inside []*guest
	for _, g := range d.guests {
		if g.world != 0 && g.visit.place == 0 {
			inside = append(inside, g)
		}
	}
	mustAll(d, "players in worlds", atOnce(len(inside), func(i int) error { return inside[i].visit.look() }))
	d.Logf("    %d players are in worlds, all of them are well", len(inside))
}

// storm: everybody comes at once. Most go into the two large worlds, some stay at
// the list, five want to get into the small one, which has room for two.
func (d *day) storm(crowd int) {
	for range crowd {
		d.guests = append(d.guests, d.fresh())
	}
	mustAll(d, "storm", atOnce(crowd, func(i int) error {
		g := d.guests[i]
		if err := d.arrive(g, false); err != nil {
			return err
		}
		switch {
		case i < 5:
			return g.enter(3)
		case i%10 == 9:
			return nil
		case i%10 < 5:
			return g.enter(1)
		}
		return g.enter(2)
	}))
	at := make(map[string]int)
	for _, g := range d.guests {
		at[g.at]++
	}
	d.Logf("    by DNS: %v", at)
	if len(at) != 2 || min(at["127.0.0.11"], at["127.0.0.12"]) < crowd/5 {
		d.Errorf("DNS has not spread the clients: %v", at)
	}
	var waiting []*guest
	for _, g := range d.in(3) {
		if g.visit.place > 0 {
			waiting = append(waiting, g)
		}
	}
	if len(waiting) != 3 {
		d.Errorf("%d wait for the small world", len(waiting))
	}
}

// worldCrash kills the gate of world 2: it is offline everywhere within the bound,
// its players come in elsewhere with their password, nobody else notices.
func (d *day) worldCrash() {
	d.gates[2].kill()
	var seen sync.WaitGroup
	for i, eye := range d.eyes {
		seen.Go(func() { // Errors only: this is not the test's goroutine.
			begin := time.Now()
			for {
				list, err := eye.realms()
				if err != nil || time.Since(begin) > offlineBound {
					d.Errorf("login server %d: world 2 is not offline after %v: %v, %v", i, time.Since(begin), list, err)
					return
				}
				if offline(2)(list) && online(1)(list) && online(3)(list) {
					d.Logf("    login server %d: world 2 is offline after %v", i, time.Since(begin).Round(time.Millisecond))
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
	victims := d.in(2)
	d.lost["sessions that died with their world"] = len(victims)
	mustAll(d, "players of the dead world", atOnce(len(victims), func(i int) error {
		g := victims[i]
		if err := g.visit.ended(); err != nil {
			return err
		}
		g.visit, g.world = nil, 0
		if err := d.arrive(g, false); err != nil {
			return err
		}
		return g.enter(1)
	}))
	seen.Wait()
}

// failOver kills the manager that leads. The list stays, those who log in just then
// get in all the same, and who was there before is known still.
func (d *day) failOver() {
	before, err := d.eyes[0].realms()
	must(d, err)
	d.one.kill()
	killed := time.Now()
	newcomers := make([]*guest, 20)
	for i := range newcomers {
		newcomers[i] = d.fresh()
	}
	d.guests = append(d.guests, newcomers...)
	var all sync.WaitGroup
	var faults []error
	all.Go(func() {
		faults = atOnce(len(newcomers), func(i int) error {
			begin := time.Now()
			if err := d.arrive(newcomers[i], false); err != nil {
				return err
			}
			logged := time.Since(begin)
			if err := newcomers[i].enter(1); err != nil {
				return fmt.Errorf("logged in after %v, failed after %v: %w", logged, time.Since(begin), err)
			}
			return nil
		})
	})
	for !leads(d.two) {
		for i, eye := range d.eyes {
			list, err := eye.realms()
			must(d, err)
			if !sameWorlds(list, before) {
				d.Fatalf("login server %d: the list was %v and is %v", i, before, list)
			}
		}
		if time.Since(killed) > leaseBound {
			d.Fatalf("no manager leads after %v", time.Since(killed))
		}
	}
	d.Logf("    the other manager leads after %v", time.Since(killed).Round(time.Millisecond))
	all.Wait()
	mustAll(d, "logins during the fail-over", faults)
	d.Logf("    20 who came meanwhile were in after %v", time.Since(killed).Round(time.Millisecond))
	old := d.in(1)[:20]
	mustAll(d, "players from before the fail-over", atOnce(len(old), func(i int) error {
		if err := d.home(old[i]); err != nil {
			return err
		}
		return old[i].enter(1)
	}))
	for i, eye := range d.eyes {
		if list, err := eye.realms(); err != nil || !sameWorlds(list, before) {
			d.Errorf("login server %d: the list was %v and is %v, %v", i, before, list, err)
		}
	}
	d.one, d.two = d.two, d.r.manager(nodeName(d.one))
}

// nodeName is the --node that a process was started with.
func nodeName(g *gatepass) string { return g.cmd.Args[slices.Index(g.cmd.Args, "--node")+1] }

// sameWorlds compares two lists but for how full the worlds are.
func sameWorlds(a, b map[byte]realm) bool {
	return maps.EqualFunc(a, b, func(x, y realm) bool {
		return x.offline() == y.offline() && x.name == y.name && x.addr == y.addr
	})
}

// loginCrash kills login server a while clients come in through both. Those of b
// and those in worlds notice nothing; those of a come in by b.
func (d *day) loginCrash() {
	comers := make([]*guest, 60)
	for i := range comers {
		comers[i] = d.fresh()
	}
	var killed atomic.Bool
	var broken atomic.Int64
	var all sync.WaitGroup
	var faults []error
	begun := make(chan struct{}, len(comers))
	all.Go(func() {
		faults = atOnce(len(comers), func(i int) error {
			return d.comeIn(comers[i], begun, &killed, &broken)
		})
	})
	for range len(comers) / 3 {
		<-begun
	}
	killed.Store(true)
	d.a.kill()
	dead := time.Now()
	all.Wait()
	mustAll(d, "logins during the crash", faults)
	d.guests = append(d.guests, comers...)
	d.lost["attempts that broke with their login server"] = int(broken.Load())
	d.orphans()
	within(d, dayMargin, "DNS names b alone", func() bool {
		all, err := d.r.lookup()
		return err == nil && slices.Equal(all, []string{"127.0.0.12"})
	})
	d.Logf("    DNS had forgotten a %v after it was killed", time.Since(dead).Round(time.Millisecond))
	d.a = d.r.login("a", d.a.grunt)
	within(d, dayMargin, "DNS names both again", func() bool { all, err := d.r.lookup(); return err == nil && len(all) == 2 })
	must(d, d.eyes[0].login(d.a.grunt))
	// Those who play know nothing of it, and come back by either.
	old := d.in(1)[:20]
	mustAll(d, "players from before the crash", atOnce(len(old), func(i int) error {
		if err := d.home(old[i]); err != nil {
			return err
		}
		return old[i].enter(1)
	}))
}

// comeIn brings a guest into world 1 while login server a is killed. Only who was
// at a may fail, and is in by b the next time.
func (d *day) comeIn(g *guest, begun chan<- struct{}, killed *atomic.Bool, broken *atomic.Int64) error {
	err := d.arrive(g, false)
	begun <- struct{}{}
	if err == nil {
		err = g.enter(1)
	}
	if err == nil {
		return nil
	}
	if g.at == "127.0.0.12" || !killed.Load() {
		return err // its login server lives
	}
	if _, no := refused(err); !no && !hungUp(err) {
		return fmt.Errorf("neither refused nor hung up on: %w", err)
	}
	broken.Add(1)
	if err := d.arrive(g, true); err != nil {
		return err
	}
	return g.enter(1)
}

// orphans looks after those who were at the list when login server a was killed:
// whose key was there needs the password, the others are as before.
func (d *day) orphans() {
	choosing := d.in(0)
	var died atomic.Int64
	mustAll(d, "clients at the list", atOnce(len(choosing), func(i int) error {
		g := choosing[i]
		_, err := g.realms()
		if g.at != "127.0.0.11" {
			return err
		}
		died.Add(1)
		if !hungUp(err) {
			return fmt.Errorf("a list of a dead server: %w", err)
		}
		if code, no := refused(g.comeBack(d.b.grunt)); !no || code != 4 {
			return fmt.Errorf("a key that died was not refused: %v, code %d", no, code)
		}
		g.at = "127.0.0.12"
		return g.login(d.b.grunt)
	}))
	d.lost["sessions that died with their login server"] = int(died.Load())
}

// drain asks login server b to end while clients are at its list: DNS sends nobody
// there any more, and they go on at a with their keys, without a password.
func (d *day) drain() {
	var there []*guest
	for _, g := range d.in(0) {
		if g.at == "127.0.0.12" {
			there = append(there, g)
		}
	}
	if len(there) == 0 {
		d.Fatal("nobody is at the list of b")
	}
	begin := time.Now()
	d.b.signal(syscall.SIGTERM)
	mustAll(d, "clients of the server that drains", atOnce(len(there), func(i int) error {
		g := there[i]
		if _, err := g.ask(nil, 1); !hungUp(err) {
			return fmt.Errorf("it was not told to go: %w", err)
		}
		if err := d.goesUnnamed("127.0.0.12"); err != nil {
			return err
		}
		if err := d.home(g); err != nil {
			return err
		}
		_, err := g.realms()
		return err
	}))
	d.Logf("    %d clients went from b to a with their keys", len(there))
	must(d, d.eyes[1].comeBack(d.a.grunt))
	// Nobody's key is left there, so there is nothing to wait for.
	if code := d.b.wait(); code != 0 || time.Since(begin) > 4*time.Second {
		d.Errorf("exit code %d after %v", code, time.Since(begin))
	}
	d.b = d.r.login("b", d.b.grunt)
	must(d, d.eyes[1].login(d.b.grunt))
}

// goesUnnamed returns once DNS does not name a login server that drains any more,
// which is at once but for the way over the bus.
func (d *day) goesUnnamed(ip string) error {
	for deadline := time.Now().Add(time.Second); ; time.Sleep(time.Millisecond) {
		all, err := d.r.lookup()
		switch {
		case err != nil:
			return err
		case !slices.Contains(all, ip):
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("DNS still names %v", all)
		}
	}
}

// reset empties the list, for maintenance. The worlds that live come back, those
// who play in them stay, and the dead one is forgotten.
func (d *day) reset() {
	d.eyes[0].sees(d, "the dead world", offline(2))
	d.r.admin("worlds", "reset")
	for i, eye := range d.eyes {
		within(d, dayMargin, fmt.Sprintf("login server %d has the two worlds that live", i), func() bool {
			list, err := eye.realms()
			must(d, err)
			return len(list) == 2 && online(1)(list) && online(3)(list)
		})
	}
	if out := d.r.admin("worlds"); strings.Contains(out, "World 2") {
		d.Errorf("the dead world was not forgotten:\n%s", out)
	}
	d.gates[2] = d.r.gate(2, 1000, d.gates[2].said["gate"])
	for _, eye := range d.eyes {
		eye.sees(d, "world 2 again", online(2))
	}
	// Everybody who is left goes into the world that is new.
	choosing := d.in(0)
	mustAll(d, "the last ones", atOnce(len(choosing), func(i int) error { return choosing[i].enter(2) }))
}
