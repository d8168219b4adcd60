package e2e

import (
	"sync"
	"testing"
	"time"
)

// shortLimits lets sessions wait for a moment only.
var shortLimits = []string{
	"GATEPASS_SESSIONS__CONNECTED_LIMIT=300ms",
	"GATEPASS_SESSIONS__PROVING_LIMIT=400ms",
	"GATEPASS_SESSIONS__CHOOSING_LIMIT=500ms",
}

// TestTrickle: a client that sends one byte a time is a client.
func TestTrickle(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	c := dial(t, g.grunt, wotlk)
	c.trickle(c.hello(0x00, demo.name))
	x := c.answer(demo, c.receive(c.challenge))
	c.trickle(x.proof)
	c.accepted(x)
	c.trickle([]byte{0x10, 0, 0, 0, 0})
	c.expect([]byte(c.demoList()))
	g.healthy()
}

// trickle sends each byte in a packet of its own.
func (c *client) trickle(b []byte) {
	c.t.Helper()
	for i := range b {
		c.send(b[i : i+1])
	}
}

// TestDeadline: no state waits for ever, not for who is silent and not for who
// sends just enough to look alive. The limits are shorter than a busy machine may hold
// a client up, so no other test runs meanwhile; nor beside the next.
func TestDeadline(t *testing.T) {
	g := start(t, setup{env: shortLimits})
	steps := []struct {
		name  string
		limit time.Duration
		reach func(c *client) (rest []byte) // what the state waits for
	}{
		{"connected", 300 * time.Millisecond, func(c *client) []byte { return c.hello(0x00, demo.name) }},
		{"proving", 400 * time.Millisecond, func(c *client) []byte { return c.challenged(demo).proof }},
		{"reproving", 400 * time.Millisecond, func(c *client) []byte {
			c.rechallenged(demo.name)
			return append([]byte{0x03}, make([]byte, 57)...)
		}},
		{"choosing", 500 * time.Millisecond, func(c *client) []byte {
			c.mustLogin(demo)
			return []byte{0x10, 0, 0, 0, 0}
		}},
	}
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			silent := dial(t, g.grunt, vanilla)
			begin := time.Now()
			step.reach(silent)
			silent.expectClosed()
			if took := time.Since(begin); took < step.limit/2 {
				t.Errorf("closed after %v, the limit is %v", took, step.limit)
			}
			trickling := dial(t, g.grunt, vanilla)
			rest := step.reach(trickling)
			trickling.dribble(rest[:len(rest)-1], step.limit)
			trickling.expectClosed()
		})
	}
	if n := g.metric("gatepass_logic_expired_total"); n != 8 {
		t.Errorf("%v sessions expired, 8 should have:\n%s", n, grep(g.mustGet("/metrics"), "expired"))
	}
}

// dribble sends b bit by bit over most of the limit, and is not heard for it.
func (c *client) dribble(b []byte, limit time.Duration) {
	tick := time.NewTicker(limit / time.Duration(len(b)+1))
	defer tick.Stop()
	for i := range b {
		<-tick.C
		if _, err := c.conn.Write(b[i : i+1]); err != nil {
			return
		}
	}
}

// TestChoosing_StaysWhileItAsks: a client that asks for the list from time to
// time outlives the limit.
func TestChoosing_StaysWhileItAsks(t *testing.T) {
	g := start(t, setup{env: shortLimits})
	c := dial(t, g.grunt, wotlk)
	c.mustLogin(demo)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range 12 {
		<-tick.C
		c.worlds()
	}
}

// TestSilentCrowd: a thousand connections that say nothing hinder nobody.
func TestSilentCrowd(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	crowd := 1000
	if testing.Short() {
		crowd = 200
	}
	for range crowd {
		dial(t, g.grunt, vanilla)
	}
	eventually(t, "they are all there", func() bool {
		return g.metric("gatepass_sessions", "state", "connected") == float64(crowd)
	})
	for _, e := range []edition{vanilla, tbc, wotlk} {
		c := dial(t, g.grunt, e)
		begin := time.Now()
		c.mustLogin(demo)
		c.expect(nil)
		t.Logf("%s logged in within %v beside %d silent connections", e.name, time.Since(begin), crowd)
		c.close()
	}
	g.healthy()
}

// TestLogin_ManyAtOnce: logins of several players at once do not mix.
func TestLogin_ManyAtOnce(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	var rows string
	for _, name := range manyNames {
		rows += name + ",PW" + name + "\n"
	}
	g.account("", "import", writeFile(t, "players.csv", "username,password\n"+rows))
	var players sync.WaitGroup
	for i, name := range manyNames {
		players.Go(func() {
			for range 5 {
				e := editions[1+i%2*4] // 1.12.1 and 3.3.5a
				c := dial(t, g.grunt, e)
				x := c.mustLogin(who{name, "PW" + name})
				if got := string(c.worlds()); got != e.demoList() {
					t.Errorf("list: % x", got)
				}
				c.close()
				c = dial(t, g.grunt, e)
				c.mustReconnect(name, x.srp.SessionKey())
				c.close()
			}
		})
	}
	players.Wait()
	if n := g.metric("gatepass_logins_total", "outcome", "logged-in"); n != float64(5*len(manyNames)) {
		t.Errorf("%v logins counted", n)
	}
	g.healthy()
}

var manyNames = []string{"ANN", "BEN", "CID", "DOT", "EVE", "FAY", "GUS", "HAL", "IDA", "JIM", "KAY", "LEO"}

// TestFull: the next connection above the limit is turned away at once, those
// that are there notice nothing, and there is room again when one leaves.
func TestFull(t *testing.T) {
	t.Parallel()
	g := start(t, setup{args: []string{"--max-conns", "3"}})
	player := dial(t, g.grunt, vanilla)
	player.mustLogin(demo)
	second := dial(t, g.grunt, vanilla)
	dial(t, g.grunt, vanilla)
	eventually(t, "three are there", func() bool { return g.metric("gatepass_connections") == 3 })
	for range 5 {
		c := dial(t, g.grunt, vanilla)
		c.expectClosed()
	}
	player.worlds()
	if n := g.metric("gatepass_connections_refused_total", "reason", "full"); n != 5 {
		t.Errorf("%v connections are counted as refused, 5 were", n)
	}
	second.close()
	eventually(t, "there is room again", func() bool { return g.metric("gatepass_connections") == 2 })
	g.healthy()
}
