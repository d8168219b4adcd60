package e2e

import (
	"fmt"
	"net/url"
	"syscall"
	"testing"
	"time"
)

// cutRegion is a region in which one login server and one gate reach the bus over
// proxies.
type cutRegion struct {
	*testing.T
	r            *region
	a, b         *gatepass // login servers; a behind its proxy
	one, two     *gatepass // gates; one behind its proxy
	manager      *gatepass
	loginA, gate *proxy
	players      []*player
}

// refusalLimit is how long a gate or a login server may take to say no, whatever
// it waits for: a claim's eight seconds, a reconnect's nine, and a margin.
const refusalLimit = 9*time.Second + 3*time.Second

// staleBound is when a list counts as stale, and a margin.
const staleBound = 3*time.Second + 3*time.Second

// openCut starts it, with players 0 and 1 at the lists.
func openCut(t *testing.T) *cutRegion {
	c := &cutRegion{T: t}
	c.r = newRegion(t, []string{"manager.a", "login.a", "login.b", "world.1", "world.2"},
		"GATEPASS_REGION__HEARTBEAT=500ms", "GATEPASS_REGION__LEASE=1s", "GATEPASS_DRAIN_LIMIT=500ms")
	c.r.addPlayers(20, "a", "b")
	c.manager = c.r.manager("a")
	bus, err := url.Parse(c.r.via)
	must(t, err)
	direct := c.r.via
	c.loginA, c.gate = newProxy(t, bus.Host), newProxy(t, bus.Host)
	c.r.via = "nats://" + c.loginA.listener.Addr().String()
	c.a = c.r.login("a", "127.0.0.1:0")
	c.r.via = "nats://" + c.gate.listener.Addr().String()
	c.one = c.r.gate(1, 1000, "127.0.0.1:0")
	c.r.via = direct
	c.b = c.r.login("b", "127.0.0.1:0")
	c.two = c.r.gate(2, 1000, "127.0.0.1:0")
	for i := range 20 {
		c.players = append(c.players, newPlayer(t, vanilla, i))
	}
	for i, g := range []*gatepass{c.a, c.b} {
		must(t, c.players[i].login(g.grunt))
		c.players[i].sees(t, "both worlds", bothOnline)
		c.stale(g, 0)
	}
	return c
}

// enters logs player i in and has it walk into a world.
func (c *cutRegion) enters(i int, login, gate *gatepass) *visit {
	c.Helper()
	must(c, c.players[i].login(login.grunt))
	v := c.players[i].mustKnock(c, gate.said["gate"])
	must(c, v.look())
	return v
}

// refusesSoon wants a polite no, in time.
func (c *cutRegion) refusesSoon(what string, do func() error) {
	c.Helper()
	begin := time.Now()
	err := do()
	took := time.Since(begin)
	if _, no := refused(err); !no || took > refusalLimit {
		c.Errorf("%s: %v after %v", what, err, took)
	}
	c.Logf("%s: %v after %v", what, err, took.Round(time.Millisecond))
}

// stale waits for a login server to mark its list as stale, or as good.
func (c *cutRegion) stale(g *gatepass, want float64) {
	c.Helper()
	what := fmt.Sprintf("gatepass_list_stale is %v", want)
	within(c, staleBound, what, func() bool { return g.metric("gatepass_list_stale") == want })
}

// bothOnline tells whether both worlds are on a list and online.
func bothOnline(l map[byte]realm) bool { return len(l) == 2 && online(1)(l) && online(2)(l) }

// TestRegion_LoginCutOff: a login server that has lost the bus logs in and shows the
// list as it was; who comes from it is refused politely until the bus is back, and
// is known then.
func TestRegion_LoginCutOff(t *testing.T) {
	t.Parallel()
	c := openCut(t)
	inside := c.enters(2, c.a, c.one)
	c.loginA.cut()
	newcomer := c.players[3]
	must(t, newcomer.login(c.a.grunt))
	c.stale(c.a, 1)
	if c.b.metric("gatepass_list_stale") != 0 {
		t.Error("the list of the other login server is stale")
	}
	must(t, c.players[0].leaveAndLogin(c.a.grunt))
	c.players[0].sees(t, "the list as it was", bothOnline)
	must(t, inside.look())
	c.refusesSoon("a key that is cut off, at a gate", func() error { return errorOf(newcomer.knock(c.one.said["gate"])) })
	coming := *c.players[2]
	coming.conn = nil
	c.refusesSoon("a key that is in a world, at the login server that is cut off", func() error { return coming.comeBack(c.a.grunt) })
	must(t, inside.look())
	// The others notice nothing.
	c.enters(4, c.b, c.two)

	c.loginA.mend()
	c.stale(c.a, 0)
	eventually(t, "the key that was cut off opens the gate", func() bool {
		v, err := newcomer.knock(c.one.said["gate"])
		if err == nil {
			v.leave()
		}
		return err == nil
	})
	must(t, coming.comeBack(c.a.grunt))
	must(t, inside.ended())
	coming.leave()
	c.enters(5, c.a, c.two)
}

// leaveAndLogin logs in anew.
func (p *player) leaveAndLogin(addr string) error {
	p.leave()
	return p.login(addr)
}

// TestRegion_GateCutOff: a gate that has lost the bus is offline in the list; those
// who are in play on, newcomers are refused politely, until the bus is back.
func TestRegion_GateCutOff(t *testing.T) {
	t.Parallel()
	c := openCut(t)
	inside := c.enters(2, c.a, c.one)
	c.gate.cut()
	for i := range 2 {
		within(t, offlineBound, "the world is offline", func() bool {
			list, err := c.players[i].realms()
			must(t, err)
			return offline(1)(list) && online(2)(list)
		})
	}
	must(t, c.players[3].login(c.a.grunt))
	c.refusesSoon("a newcomer, at the gate that is cut off", func() error { return errorOf(c.players[3].knock(c.one.said["gate"])) })
	must(t, inside.look())
	inside.leave()
	must(t, c.players[2].mustKnock(t, c.one.said["gate"]).look()) // it has the key
	must(t, c.players[3].mustKnock(t, c.two.said["gate"]).look()) // and elsewhere it is as ever
	c.gate.mend()
	for i := range 2 {
		c.players[i].sees(t, "both worlds again", bothOnline)
	}
	c.enters(4, c.b, c.one)
}

// TestRegion_BusStops: while the bus hangs, logins and worlds go on; when it wakes
// up, or has been killed and started again, everything is as before.
func TestRegion_BusStops(t *testing.T) {
	t.Parallel()
	c := openCut(t)
	inside := c.enters(2, c.a, c.one)
	c.r.bus.signal(syscall.SIGSTOP)
	c.stale(c.a, 1)
	c.stale(c.b, 1)
	must(t, c.players[3].login(c.a.grunt))
	c.players[3].sees(t, "the list as it was", bothOnline)
	c.refusesSoon("a newcomer while the bus hangs", func() error { return errorOf(c.players[3].knock(c.two.said["gate"])) })
	must(t, inside.look())
	c.r.bus.signal(syscall.SIGCONT)
	c.healed(4)
	must(t, inside.look())

	listen := mustHost(t, c.r.bus.said["bus"])
	c.r.bus.kill()
	c.stale(c.a, 1)
	must(t, c.players[5].login(c.b.grunt))
	c.players[5].sees(t, "the list as it was", bothOnline)
	must(t, inside.look())
	c.r.serveBus(listen)
	c.healed(6)
	must(t, inside.look())
	inside.leave()
	must(t, c.players[2].comeBack(c.b.grunt))
	c.players[2].leave()
}

// healed wants the region to be well: player i and the next one get into both worlds.
func (c *cutRegion) healed(i int) {
	c.Helper()
	c.stale(c.a, 0)
	c.stale(c.b, 0)
	for n := range 2 {
		must(c, c.players[n].leaveAndLogin([]*gatepass{c.a, c.b}[n].grunt))
		c.players[n].sees(c, "both worlds", bothOnline)
	}
	c.enters(i, c.a, c.two)
	c.enters(i+1, c.b, c.one)
}

// mustHost is host:port of a URL.
func mustHost(t testing.TB, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	return u.Host
}
