package e2e

import (
	"context"
	crand "crypto/rand"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"gatepass/accounts"
	"gatepass/admin"
	"gatepass/storage/pebble"
)

// TestKillNine: accounts are added from several sides at once while the server
// is killed without warning, again and again. The store always opens, and every
// account whose addition was acknowledged is there and can log in.
func TestKillNine(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	rounds := 8
	if testing.Short() {
		rounds = 2
	}
	g := start(t, setup{})
	var all ledger
	for round := range rounds {
		var fresh ledger
		add := adders{t: t, data: g.data, round: round, acknowledged: &fresh}
		stop := add.begin()
		// The moment of the crash: some work is behind it, and then a little more.
		enough := 1 + r.IntN(40)
		eventually(t, "accounts are being added", func() bool { return fresh.count() >= enough })
		timer := time.NewTimer(time.Duration(r.IntN(60_000)) * time.Microsecond)
		<-timer.C
		g.kill()
		stop()
		g = start(t, setup{data: g.data})
		checkStored(t, g, &fresh, &all)
	}
	if all.count() < 2*rounds {
		t.Errorf("only %d accounts were acknowledged in %d rounds", all.count(), rounds)
	}
	g.healthy()
}

// TestKillNine_DurableLogins: where logins are to be durable, a client that is
// in is on record, whatever happens next.
func TestKillNine_DurableLogins(t *testing.T) {
	t.Parallel()
	g := start(t, setup{env: []string{"GATEPASS_SESSIONS__DURABLE_LOGINS=true"}})
	for i := range 3 {
		from := fmt.Sprintf("127.0.0.%d", 20+i)
		c := dialFrom(t, g.grunt, vanilla, from)
		c.mustLogin(demo)
		g.kill()
		if out := g.account("", "show", demo.name); !strings.Contains(out, from) {
			t.Errorf("the login from %s is not on record:\n%s", from, out)
		}
		g = start(t, setup{data: g.data, env: []string{"GATEPASS_SESSIONS__DURABLE_LOGINS=true"}})
	}
}

// checkStored looks for every account ever acknowledged, and logs the fresh ones
// in.
func checkStored(t *testing.T, g *gatepass, fresh, all *ledger) {
	t.Helper()
	all.add(fresh.list()...)
	stored := exported(t, g)
	for _, w := range all.list() {
		if stored[w.name] == "" {
			t.Errorf("%s was acknowledged and is lost", w.name)
		}
	}
	try := fresh.list()
	if len(try) > 60 {
		try = try[len(try)-60:] // the last are the ones at risk
	}
	for _, w := range try {
		c := dial(t, g.grunt, wotlk)
		c.mustLogin(w)
		c.close()
	}
	t.Logf("%d acknowledged, %d stored, %d logged in", all.count(), len(stored), len(try))
}

// exported is the verifier of each account, as the export has it.
func exported(t *testing.T, g *gatepass) map[string]string {
	t.Helper()
	stored := make(map[string]string)
	for line := range strings.Lines(g.account("", "export", "--format", "ndjson", "-")) {
		var row struct{ Username, Verifier string }
		if json.Unmarshal([]byte(line), &row) == nil {
			stored[row.Username] = row.Verifier
		}
	}
	return stored
}

// ledger is a list of accounts that several goroutines write.
type ledger struct {
	mu sync.Mutex
	w  []who
}

func (l *ledger) add(w ...who) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.w = append(l.w, w...)
}

func (l *ledger) list() []who {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]who(nil), l.w...)
}

func (l *ledger) count() int { return len(l.list()) }

// adders add accounts until they are stopped: commands as an operator types
// them, and connections that add one after the other as an import does.
type adders struct {
	t            testing.TB
	data         string
	round        int
	acknowledged *ledger
}

// begin starts them; the returned function stops them and waits.
func (a *adders) begin() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var workers sync.WaitGroup
	for i := range 2 {
		workers.Go(func() { a.byCommand(ctx, fmt.Sprintf("C%d", i)) })
		workers.Go(func() { a.bySocket(ctx, fmt.Sprintf("S%d", i)) })
	}
	return func() {
		cancel()
		workers.Wait()
	}
}

// next is the n-th account of a worker.
func (a *adders) next(worker string, n int) who {
	return who{fmt.Sprintf("R%d%sN%d", a.round, worker, n), fmt.Sprintf("%s-%d", worker, n)}
}

// byCommand runs `gatepass account add`. When the server is gone the command
// opens the store itself, which is as good.
func (a *adders) byCommand(ctx context.Context, worker string) {
	for n := 0; ctx.Err() == nil; n++ {
		w := a.next(worker, n)
		out, err := account(a.data, w.password+"\n", "add", "--no-native", "--password-stdin", w.name)
		if err == nil {
			a.acknowledged.add(w)
		} else if strings.Contains(out, "panic") || strings.Contains(out, "corrupt") {
			a.t.Errorf("add: %s", out)
		}
	}
}

// bySocket adds over one connection, as fast as it is answered, until the server
// is gone. No native verifiers: they would be all that the time goes into.
func (a *adders) bySocket(ctx context.Context, worker string) {
	engine := pebble.Engine{Options: pebble.Options{Dir: admin.StorePath(a.data)}}
	h, err := admin.Open(ctx, admin.OpenOptions{DataDir: a.data, Engine: engine, Manager: accounts.Options{Random: crand.Reader, NoNative: true}})
	if err != nil {
		a.t.Logf("%s came too late: %v", worker, err) // the server is gone already
		return
	}
	defer h.Close()
	for n := 0; ctx.Err() == nil; n++ {
		w := a.next(worker, n)
		if err := h.Add(ctx, w.name, w.password); err != nil {
			return
		}
		a.acknowledged.add(w)
	}
}
