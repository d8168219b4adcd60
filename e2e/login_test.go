package e2e

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

// group is g and N as the challenge has them behind B: lengths and values.
const group = "\x01\x07\x20" +
	"\xb7\x9b\x3e\x2a\x87\x82\x3c\xab\x8f\x5e\xbf\xbf\x8e\xb1\x01\x08" +
	"\x53\x50\x06\x29\x8b\x5b\xad\xbd\x5b\x53\xe1\x89\x5e\x64\x4b\x89"

// fileSalt is the salt of the client's file hash for which hashes are published.
const fileSalt = "\xba\xa3\x1e\x99\xa0\x0b\x21\x57\xfc\x37\x3f\xb3\x69\xcd\xd2\xf1"

// The worlds of listedWorlds as each layout has them (10.2): type, locked, flags, name,
// address, population 0.5 and 1.5, characters, category, id.
const (
	oldWorlds = "\x00\x00\x00\x00" + "\x00" + "Demo One\x00127.0.0.1:8085\x00" + "\x00\x00\x00\x3f" + "\x00\x01\x01" +
		"\x01\x00\x00\x00" + "\x00" + "Demo Two\x00127.0.0.1:8086\x00" + "\x00\x00\xc0\x3f" + "\x00\x01\x02"
	newWorlds = "\x00\x00\x00" + "Demo One\x00127.0.0.1:8085\x00" + "\x00\x00\x00\x3f" + "\x00\x01\x01" +
		"\x01\x00\x00" + "Demo Two\x00127.0.0.1:8086\x00" + "\x00\x00\xc0\x3f" + "\x00\x01\x02"
)

// demoList is the whole list as an edition is sent it.
func (e *edition) demoList() string {
	count, worlds, footer := "\x02\x00", newWorlds, "\x10\x00"
	switch {
	case e.build < 6299:
		count, worlds, footer = "\x02", oldWorlds, "\x02\x00"
	case e.build == 6299:
		count = "\x02"
	}
	body := "\x00\x00\x00\x00" + count + worlds + footer
	return "\x10" + string([]byte{byte(len(body)), byte(len(body) >> 8)}) + body
}

// TestLogin: each client logs in, sees the worlds and comes back by its session
// key; every byte that is not drawn or derived is the protocol page's.
func TestLogin(t *testing.T) {
	t.Parallel()
	g := start(t, setup{env: []string{allBuilds}})
	for _, e := range editions {
		t.Run(e.name, func(t *testing.T) {
			c := dial(t, g.grunt, e)
			x := c.mustLogin(demo)
			checkChallenge(t, &e, x.challenge)
			for range 3 { // as often as it likes
				if got, want := string(c.worlds()), e.demoList(); got != want {
					t.Errorf("list of worlds\n got % x\nwant % x", got, want)
				}
			}
			again := dial(t, g.grunt, e)
			again.mustReconnect(demo.name, x.srp.SessionKey())
			c.expectClosed() // one session an account
			if got, want := string(again.worlds()), e.demoList(); got != want {
				t.Errorf("list of worlds after the reconnect\n got % x\nwant % x", got, want)
			}
			again.close()
			// The key outlives its connection.
			third := dial(t, g.grunt, e)
			third.mustReconnect(demo.name, x.srp.SessionKey())
			third.close()
		})
	}
	g.healthy()
}

func checkChallenge(t *testing.T, e *edition, b []byte) {
	t.Helper()
	if got := string(b[35:70]); got != group {
		t.Errorf("group is % x", got)
	}
	want := fileSalt
	if e.challenge == 119 {
		want += "\x00" // no second factor
	}
	if got := string(b[102:]); got != want {
		t.Errorf("challenge ends with % x, want % x", got, want)
	}
}

// TestLogin_CaseFolded: a third-party client may send the name as it was typed.
func TestLogin_CaseFolded(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	c := dial(t, g.grunt, wotlk)
	c.mustLogin(who{"Demo", "dEmO"})
}

// TestLogin_TelemetryAndFactors: what was not asked for is refused.
func TestLogin_TelemetryAndFactors(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	for name, spoil := range map[string]func(proof []byte) []byte{
		"telemetry": func(p []byte) []byte { p[73] = 1; return append(p, make([]byte, 30)...) },
		"pin":       func(p []byte) []byte { p[74] = 1; return append(p, make([]byte, 36)...) },
		"token":     func(p []byte) []byte { p[74] = 4; return append(p, 6, '1', '2', '3', '4', '5', '6') },
		"unknown":   func(p []byte) []byte { p[74] = 0x80; return p },
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, g.grunt, wotlk)
			x := c.challenged(demo)
			c.send(spoil(x.proof))
			c.expect(c.refusal(4))
			c.expectClosed()
		})
	}
	g.healthy()
}

// TestReconnect_Refused: a wrong key, and an account that never logged in, get a
// challenge and the same refusal.
func TestReconnect_Refused(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	login := dial(t, g.grunt, tbc)
	x := login.mustLogin(demo)
	for _, name := range []string{demo.name, "NOBODY"} {
		c := dial(t, g.grunt, tbc)
		wrong := x.srp.SessionKey()
		wrong[0] ^= 1
		c.send(reproof(name, c.rechallenged(name), wrong))
		c.expect([]byte{3, 4, 0, 0})
		c.expectClosed()
	}
	login.worlds() // nobody else's failure ends a session
	// A proof is good for the challenge it answers, and no other.
	c, d := dial(t, g.grunt, tbc), dial(t, g.grunt, tbc)
	old := c.rechallenged(demo.name)
	if fresh := d.rechallenged(demo.name); bytes.Equal(old[:], fresh[:]) {
		t.Fatalf("two challenges are the same: %s", hex.EncodeToString(old[:]))
	}
	d.send(reproof(demo.name, old, x.srp.SessionKey()))
	d.expect([]byte{3, 4, 0, 0})
	login.worlds()
}

// TestReconnect_AfterRestart: session keys are in memory only, so a restart asks
// everybody for the password again.
func TestReconnect_AfterRestart(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	c := dial(t, g.grunt, vanilla)
	x := c.mustLogin(demo)
	g.stop()
	g = start(t, setup{data: g.data})
	c = dial(t, g.grunt, vanilla)
	c.send(reproof(demo.name, c.rechallenged(demo.name), x.srp.SessionKey()))
	c.expect([]byte{3, 4})
	c.expectClosed()
	c = dial(t, g.grunt, vanilla)
	c.mustLogin(demo)
}

// TestLogin_ConfiguredWorlds: worlds of the configuration are on the list, 1.x sees a
// locked world as offline and its category by its own number, and a client of another
// build sees which one the world wants.
func TestLogin_ConfiguredWorlds(t *testing.T) {
	t.Parallel()
	config := writeFile(t, "gatepass.toml", `
[[worlds]]
id = 7
name = "Seven"
address = "world.example.org:8085"
kind = "rp-pvp"
category = 3
population = 2.0
locked = true
builds = [5875]
`)
	g := start(t, setup{args: []string{"--config", config}})
	for _, c := range []struct {
		e    edition
		want string
	}{
		{vanilla, "\x10\x30\x00" + "\x00\x00\x00\x00\x01" + "\x08\x00\x00\x00" + "\x02" + seven + "\x05\x07" + "\x02\x00"},
		{wotlk, "\x10\x34\x00" + "\x00\x00\x00\x00\x01\x00" + "\x08\x01\x06" + seven + "\x03\x07" + "\x01\x0c\x01\xf3\x16" + "\x10\x00"},
	} {
		cl := dial(t, g.grunt, c.e)
		cl.mustLogin(demo)
		if got := string(cl.worlds()); got != c.want {
			t.Errorf("%s:\n got % x\nwant % x", c.e.name, got, c.want)
		}
	}
}

const seven = "Seven\x00world.example.org:8085\x00" + "\x00\x00\x00\x40" + "\x00"

// TestVersionGate: a build that is not let in is told so at once, whatever the
// account, and learns nothing else.
func TestVersionGate(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	for _, e := range []edition{v2, v7, {name: "1.13", build: 6200}, {name: "none"}} {
		for _, name := range []string{demo.name, "NOBODY"} {
			c := dial(t, g.grunt, e)
			c.send(c.hello(0x00, name))
			c.expect([]byte{0, 0, 9})
			c.expectClosed()
			c = dial(t, g.grunt, e)
			c.send(c.hello(0x02, name))
			c.expect([]byte{2, 9})
			c.expectClosed()
		}
	}
	if n := g.metric("gatepass_refusals_total", "result", "version-invalid"); n != 16 {
		t.Errorf("%v refusals are counted, 16 were made:\n%s", n, grep(g.mustGet("/metrics"), "refusals_total"))
	}
	g.healthy()
}

// grep keeps the lines that hold a word.
func grep(text, word string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.Contains(line, word) {
			b.WriteString(line)
		}
	}
	return b.String()
}
