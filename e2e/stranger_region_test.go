package e2e

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"gatepass/auth/srp6"
)

// imported are the rows of an account import, with the names in it. marked gives salts
// as the mangos family makes them, else any 32 bytes as TrinityCore does.
func imported(n int, marked bool) (names []string, table string) {
	var b strings.Builder
	b.WriteString("username,salt,verifier\n")
	if marked {
		b.Reset()
		b.WriteString("username,s,v\n")
	}
	for i := range n {
		name := fmt.Sprintf("OLD%d", i)
		var raw [32]byte
		rand.Read(raw[:])
		salt := srp6.Salt(raw)
		if marked {
			salt = srp6.NewSalt(&raw)
		}
		v := srp6.NewVerifier(&salt, name, "secret")
		s, verifier := salt[:], v[:]
		if marked { // big-endian numbers
			slices.Reverse(s)
			slices.Reverse(verifier)
		}
		fmt.Fprintf(&b, "%s,%s,%s\n", name, strings.ToUpper(hex.EncodeToString(s)), strings.ToUpper(hex.EncodeToString(verifier)))
		names = append(names, name)
	}
	return names, b.String()
}

// saltOf asks a server for the salt of a name.
func saltOf(t *testing.T, addr, name string) [32]byte {
	t.Helper()
	c := dial(t, addr, vanilla)
	defer c.close()
	c.send(c.hello(0x00, name))
	return [32]byte(c.receive(c.challenge)[70:102])
}

// TestStranger_InARegion: two login servers of a region with the same imported accounts
// say the same of every name, and what they make up for names that have no account looks
// as the accounts do, bit by bit.
func TestStranger_InARegion(t *testing.T) {
	t.Parallel()
	r := newRegion(t, []string{"manager.m", "login.a", "login.b"})
	names, table := imported(250, true)
	file := writeFile(t, "mangos.csv", table)
	for _, login := range []string{"a", "b"} {
		r.do("account", "import", "--data", r.loginData(login), file)
	}
	a, b := r.login("a", "127.0.0.1:0"), r.login("b", "127.0.0.1:0")

	// Before either has met its region, neither answers: for no name.
	for _, name := range []string{names[0], "NOBODY"} {
		c := dial(t, a.said["grunt"], vanilla)
		c.send(c.hello(0x00, name))
		if reply := c.receive(3); reply[2] == 0 {
			t.Errorf("%s is answered before the region is known", name)
		}
		c.close()
	}
	if status, body, err := a.get("/readyz"); err != nil || status != 503 || !strings.Contains(body, "met its region") {
		t.Errorf("/readyz of a server that answers nobody: %d %q %v", status, body, err)
	}
	r.manager("m")
	eventually(t, "both login servers have met the region", func() bool { return ready(a) && ready(b) })
	if !answered(t, a) || !answered(t, b) {
		t.Error("a server that is ready answers nobody")
	}

	ask := func(names []string) (salts [][32]byte) {
		for _, name := range names {
			one, two := saltOf(t, a.said["grunt"], name), saltOf(t, b.said["grunt"], name)
			if one != two {
				t.Errorf("%s has the salt %x at one server and %x at the other", name, one, two)
			}
			salts = append(salts, one)
		}
		return salts
	}
	var nobody []string
	for i := range names {
		nobody = append(nobody, fmt.Sprintf("NEW%d", i))
	}
	real, madeUp := ask(names), ask(nobody)
	compareBits(t, real, madeUp)

	// Behind a restart, and while the manager is away, it is the same.
	for _, g := range r.runs {
		if strings.Contains(strings.Join(g.cmd.Args, " "), "manager-m") {
			g.kill()
		}
	}
	a.stop()
	a = r.login("a", "127.0.0.1:0")
	if again := saltOf(t, a.said["grunt"], nobody[0]); again != madeUp[0] {
		t.Errorf("behind a restart %s has the salt %x, before %x", nobody[0], again, madeUp[0])
	}
}

// answered tells whether a server answers for a name.
func answered(t *testing.T, g *gatepass) bool {
	t.Helper()
	c := dial(t, g.said["grunt"], vanilla)
	defer c.close()
	c.send(c.hello(0x00, "NOBODY"))
	return c.receive(3)[2] == 0
}

// compareBits compares how often each bit is set in both sets, of the same size. A bit
// that is always set in one is so in the other; else six standard deviations are
// allowed, which one run in a million exceeds by chance.
func compareBits(t *testing.T, real, madeUp [][32]byte) {
	t.Helper()
	n := float64(len(real))
	for bit := range 256 {
		var ones [2]float64
		for i, salts := range [][][32]byte{real, madeUp} {
			for _, s := range salts {
				ones[i] += float64(s[bit/8] >> (bit % 8) & 1)
			}
		}
		always := (ones[0] == 0 || ones[0] == n) && ones[0] != ones[1]
		if always || math.Abs(ones[0]-ones[1]) > 6*math.Sqrt(n/2) {
			t.Errorf("bit %d is set in %.0f of %.0f real salts and in %.0f made-up ones", bit, ones[0], n, ones[1])
		}
	}
}

// TestStranger_ImportWhileItRuns: salts that come with an import into a running server
// are looked at, and made-up ones look like them a moment later.
func TestStranger_ImportWhileItRuns(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	mark := func(s [32]byte) bool { return s[0]&1 == 1 && s[31] >= 0x80 }
	if s := saltOf(t, g.grunt, "NOBODY"); !mark(s) {
		t.Errorf("salt %x, but all salts of a new store are marked", s)
	}
	_, table := imported(300, false)
	code, out := runs(t, "account", "import", "--data", g.data, writeFile(t, "trinity.csv", table))
	if code != 0 {
		t.Fatal(out)
	}
	eventually(t, "some made-up salts have no marks", func() bool {
		for i := range 20 {
			if !mark(saltOf(t, g.grunt, fmt.Sprintf("NOBODY%d", i))) {
				return true
			}
		}
		return false
	})
	before := saltOf(t, g.grunt, "NOBODY")
	g.stop()
	g = start(t, setup{data: g.data})
	if after := saltOf(t, g.grunt, "NOBODY"); !bytes.Equal(before[:], after[:]) {
		t.Errorf("behind a restart the salt is %x, before %x", after, before)
	}
}
