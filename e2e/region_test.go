package e2e

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// region is a region of processes, each a role of its own: a bus, managers, login
// servers with the same accounts, gates, a DNS server. Its methods that take no
// testing.TB fail its test and are for the test's goroutine.
type region struct {
	t    testing.TB
	dir  string   // all folders are in it
	busy []string // environment of all processes
	// via is the bus's URL for all but the bus; where the bus is, unless changed.
	via  string
	bus  *gatepass
	dns  string // host:port of the name server
	runs []*gatepass
}

// zone is the zone of the region's login servers.
const zone = "login.example.org."

// newRegion makes the credentials of the nodes and runs a bus.
func newRegion(t testing.TB, nodes []string, env ...string) *region {
	t.Helper()
	r := &region{t: t, dir: t.TempDir(), busy: env}
	r.do("bus", "init", "--dir", r.authority())
	for _, node := range append(nodes, "admin.operator") {
		r.do("bus", "add", node, "--dir", r.authority())
	}
	t.Cleanup(r.stop)
	r.serveBus("127.0.0.1:0")
	r.via = r.bus.said["bus"]
	return r
}

func (r *region) authority() string { return filepath.Join(r.dir, "authority") }

// do runs a command to its end.
func (r *region) do(args ...string) string {
	r.t.Helper()
	code, out := runs(r.t, args...)
	if code != 0 {
		r.t.Fatalf("%v: exit code %d\n%s", args, code, out)
	}
	return out
}

// run starts a process of the region.
func (r *region) run(role ...string) *gatepass {
	r.t.Helper()
	g := start(r.t, setup{role: append(role, "--admin", "127.0.0.1:0"), env: r.busy})
	r.runs = append(r.runs, g)
	return g
}

func (r *region) serveBus(listen string) {
	r.t.Helper()
	r.bus = r.run("bus", "serve", "--dir", r.authority(), "--data", filepath.Join(r.dir, "bus"), "--bus.listen", listen)
}

// node starts a process that is on the bus.
func (r *region) node(role ...string) *gatepass {
	r.t.Helper()
	return r.run(append(role, "--bus.url", r.via, "--bus.dir", r.authority())...)
}

func (r *region) manager(name string) *gatepass {
	r.t.Helper()
	return r.node("worlds", "--node", name, "--data", filepath.Join(r.dir, "manager-"+name))
}

// login starts a login server for players at the address.
func (r *region) login(name, address string) *gatepass {
	r.t.Helper()
	g := r.node("login", "--node", name, "--data", r.loginData(name), "--grunt", address, "--native", "127.0.0.1:0")
	g.data = r.loginData(name)
	return g
}

func (r *region) loginData(name string) string { return filepath.Join(r.dir, "login-"+name) }

// addPlayers gives the login servers, which must not run, n accounts.
func (r *region) addPlayers(n int, logins ...string) {
	r.t.Helper()
	file := writeFile(r.t, "players.csv", playersCSV(n))
	for _, name := range logins {
		r.do("account", "import", "--data", r.loginData(name), file)
	}
}

// gate starts the gate of world id for clients of 1.12.
func (r *region) gate(id, capacity int, listen string) *gatepass {
	r.t.Helper()
	return r.node("gateway", "--data", filepath.Join(r.dir, "gate"), "--gateway.id", strconv.Itoa(id),
		"--gateway.name", fmt.Sprintf("World %d", id), "--gateway.builds", "5875",
		"--gateway.capacity", strconv.Itoa(capacity), "--gateway.listen", listen)
}

func (r *region) nameServer() {
	r.t.Helper()
	g := r.node("dns", "--data", filepath.Join(r.dir, "dns"), "--dns.zone", zone, "--dns.listen", "127.0.0.1:0", "--dns.ttl", "1s")
	r.dns = g.said["dns"]
}

// admin runs `gatepass admin`.
func (r *region) admin(args ...string) string {
	r.t.Helper()
	return r.do(append(append([]string{"admin"}, args...), "--bus.url", r.via, "--bus.dir", r.authority())...)
}

// stop asks all processes that run to end, those that were started last first, the
// bus last, and waits for them.
func (r *region) stop() {
	var alive []*gatepass
	for _, g := range r.runs {
		if !g.reaped && g != r.bus {
			alive = append(alive, g)
			_ = g.cmd.Process.Signal(syscall.SIGTERM)
			_ = g.cmd.Process.Signal(syscall.SIGCONT) // where a test has stopped it
		}
	}
	for _, g := range alive {
		if code := g.wait(); code != 0 && !r.t.Failed() {
			r.t.Errorf("%v: exit code %d\n%s", g.cmd.Args[1:4], code, g.stderr)
		}
	}
	if r.bus != nil && !r.bus.reaped {
		r.bus.stop()
	}
}

// lookup asks the name server for login servers' addresses, as a client's resolver
// does. The first is where a client goes.
func (r *region) lookup() ([]string, error) {
	m := new(dns.Msg)
	m.SetQuestion(zone, dns.TypeA)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	answer, _, err := new(dns.Client).ExchangeContext(ctx, m, r.dns)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, rr := range answer.Answer {
		if a, ok := rr.(*dns.A); ok {
			all = append(all, a.A.String())
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no login server: %v", answer)
	}
	return all, nil
}

// leads tells whether a manager leads.
func leads(g *gatepass) bool { return g.metric("gatepass_manager_leads") == 1 }

// leader waits for one of the managers to lead and returns it, and the other.
func leader(t testing.TB, a, b *gatepass) (first, second *gatepass) {
	t.Helper()
	eventually(t, "a manager leads", func() bool { return leads(a) != leads(b) })
	if leads(a) {
		return a, b
	}
	return b, a
}

// atOnce calls do for 0 to n-1, some at the same time, and returns their errors.
func atOnce(n int, do func(i int) error) (faults []error) {
	const workers = 32
	work, errs := make(chan int), make([]error, n)
	var all sync.WaitGroup
	for range min(workers, n) {
		all.Go(func() {
			for i := range work {
				errs[i] = do(i)
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	all.Wait()
	for i, err := range errs {
		if err != nil {
			faults = append(faults, fmt.Errorf("%d: %w", i, err))
		}
	}
	return faults
}

// mustAll fails the test when one of them failed.
func mustAll(t testing.TB, what string, faults []error) {
	t.Helper()
	if len(faults) > 0 {
		t.Fatalf("%s: %d failed, such as %v", what, len(faults), faults[:min(len(faults), 5)])
	}
}

// portOf is the port of host:port.
func portOf(t testing.TB, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	must(t, err)
	return port
}

// within polls until the condition holds, and says when that takes longer than the
// bound.
func within(t testing.TB, bound time.Duration, what string, holds func() bool) time.Duration {
	t.Helper()
	begin := time.Now()
	eventually(t, what, holds)
	took := time.Since(begin)
	if took > bound {
		t.Errorf("%s: after %v, the bound is %v", what, took, bound)
	}
	t.Logf("%s: after %v", what, took.Round(time.Millisecond))
	return took
}
