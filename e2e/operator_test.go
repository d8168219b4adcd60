package e2e

import (
	"io"
	"strings"
	"testing"
	"time"
)

// TestBan_Account: a ban ends the session that runs and keeps the account out,
// but only who knows the password is told of it.
func TestBan_Account(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	bob := who{"BOB", "hunter2"}
	g.account("hunter2\n", "add", "--password-stdin", "bob")
	for _, e := range []edition{vanilla, wotlk} {
		for _, ban := range []struct {
			flag string
			code byte
		}{{"--forever", 0x03}, {"--for=72h", 0x0C}} {
			playing := dial(t, g.grunt, e)
			x := playing.mustLogin(bob)
			other := dial(t, g.grunt, e)
			other.mustLogin(demo)

			g.account("", "ban", "bob", ban.flag, "--reason", "test")
			playing.expectClosed()
			other.worlds() // it was not meant
			c := dial(t, g.grunt, e)
			c.mustFail(bob, ban.code)
			c = dial(t, g.grunt, e)
			c.mustFail(who{"BOB", "wrong"}, 0x04)
			mustNotReconnect(t, g, e, bob.name, x)

			g.account("", "unban", "bob")
			c = dial(t, g.grunt, e)
			c.mustLogin(bob)
			c.worlds()
		}
	}
	g.healthy()
}

// mustNotReconnect tries the session key of a login.
func mustNotReconnect(t *testing.T, g *gatepass, e edition, name string, x *exchange) {
	t.Helper()
	c := dial(t, g.grunt, e)
	c.send(reproof(name, c.rechallenged(name), x.srp.SessionKey()))
	want := make([]byte, e.reconnected)
	want[0], want[1] = 0x03, 0x04
	c.expect(want)
	c.expectClosed()
}

// TestBan_Expires: a ban for a time ends by itself.
func TestBan_Expires(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	g.account("", "ban", "demo", "--for", "1s")
	eventually(t, "the ban is over", func() bool {
		c := dial(t, g.grunt, tbc)
		defer c.close()
		c.send(c.challenged(demo).proof)
		switch reply := c.receive(2); reply[1] {
		case 0x00:
			return true
		case 0x0C:
		default:
			t.Fatalf("told % x", reply)
		}
		return false
	})
}

// TestBan_Address: a range of addresses is told at its first word, sessions from
// there end, and nobody else is disturbed.
func TestBan_Address(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	g.account("x\n", "add", "--password-stdin", "bob")
	inside := dialFrom(t, g.grunt, vanilla, "127.0.0.9")
	inside.mustLogin(who{"BOB", "x"})
	outside := dialFrom(t, g.grunt, vanilla, "127.0.0.1")
	outside.mustLogin(demo)
	for _, ban := range []struct {
		flag string
		code byte
	}{{"--forever", 0x03}, {"--for=2h", 0x0C}} {
		g.account("", "ban", "--address", "127.0.0.8/30", ban.flag)
		eventually(t, "the address is refused", func() bool {
			return firstWord(t, g, "127.0.0.10") == int(ban.code)
		})
	}
	inside.expectClosed()
	outside.worlds()
	c := dialFrom(t, g.grunt, vanilla, "127.0.0.11")
	c.send(c.hello(0x02, demo.name))
	c.expect([]byte{0x02, 0x0C})
	c.expectClosed()

	g.account("", "unban", "--address", "127.0.0.8/30")
	eventually(t, "the address is let in", func() bool {
		return firstWord(t, g, "127.0.0.10") == 0
	})
	g.healthy()
}

// firstWord is the result that a challenge from an address is answered with, or
// -1 if it is hung up on, as happens to who comes while a ban does.
func firstWord(t *testing.T, g *gatepass, from string) int {
	t.Helper()
	c := dialFrom(t, g.grunt, vanilla, from)
	defer c.close()
	c.send(c.hello(0x00, "WHOEVER"))
	b := make([]byte, 3)
	c.conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadFull(c.conn, b); err != nil {
		return -1
	}
	return int(b[2])
}

// TestBan_InMidLogin: an account that is banned, deleted or given another
// password between challenge and proof does not slip in by what was true before.
func TestBan_InMidLogin(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	for _, change := range []struct {
		name  string
		stdin string
		args  []string
	}{
		{"ban", "", []string{"ban", "bob", "--forever"}},
		{"delete", "", []string{"delete", "--yes", "bob"}},
		{"passwd", "other\n", []string{"passwd", "--password-stdin", "bob"}},
	} {
		t.Run(change.name, func(t *testing.T) {
			g.account("pass\n", "add", "--password-stdin", "bob")
			c := dial(t, g.grunt, vanilla)
			x := c.challenged(who{"BOB", "pass"})
			g.account(change.stdin, change.args...)
			// It may have been hung up on already, or be refused now.
			_, _ = c.conn.Write(x.proof)
			if b := c.rest(); len(b) > 2 || len(b) == 2 && b[1] == 0 {
				t.Errorf("let in: % x", b)
			}
			if change.name != "delete" {
				g.account("", "delete", "--yes", "bob")
			}
		})
	}
	g.healthy()
}

// TestDelete: a deleted account is an unknown one, at once.
func TestDelete(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	bob := who{"BOB", "pass"}
	g.account("pass\n", "add", "--password-stdin", "bob")
	playing := dial(t, g.grunt, wotlk)
	x := playing.mustLogin(bob)
	g.account("", "delete", "--yes", "bob")
	playing.expectClosed()
	c := dial(t, g.grunt, wotlk)
	c.mustFail(bob, 0x04)
	mustNotReconnect(t, g, wotlk, bob.name, x)
}

// TestPasswd: a new password counts at once, and whoever plays by the old one
// has to show that he knows the new.
func TestPasswd(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	g.account("old\n", "add", "--password-stdin", "bob")
	playing := dial(t, g.grunt, tbc)
	x := playing.mustLogin(who{"BOB", "old"})
	g.account("new\n", "passwd", "--password-stdin", "bob")
	playing.expectClosed()
	c := dial(t, g.grunt, tbc)
	c.mustFail(who{"BOB", "old"}, 0x04)
	mustNotReconnect(t, g, tbc, "BOB", x)
	c = dial(t, g.grunt, tbc)
	c.mustLogin(who{"BOB", "new"})
}

// TestRecord: what happens at the edge is what an operator is shown.
func TestRecord(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	g.account("pass\n", "add", "--password-stdin", "bob")
	if out := g.account("", "show", "bob"); !strings.Contains(out, "last login   never") {
		t.Errorf("before the first login:\n%s", out)
	}
	c := dialFrom(t, g.grunt, vanilla, "127.0.0.5")
	c.mustFail(who{"BOB", "wrong"}, 0x04)
	c = dialFrom(t, g.grunt, vanilla, "127.0.0.5")
	c.mustLogin(who{"BOB", "pass"})
	eventually(t, "the login is recorded", func() bool {
		return strings.Contains(g.account("", "show", "bob"), "127.0.0.5")
	})
}

// TestSecondLogin: a second login ends the first, and takes its key away.
func TestSecondLogin(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	first := dial(t, g.grunt, vanilla)
	x := first.mustLogin(demo)
	second := dial(t, g.grunt, wotlk)
	second.mustLogin(demo)
	first.expectClosed()
	mustNotReconnect(t, g, vanilla, demo.name, x)
	second.worlds()
}
