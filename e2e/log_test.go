package e2e

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// secretsOf are the texts, in small letters, in which a secret of a login could
// turn up, by what they are.
func secretsOf(x *exchange, password string) map[string]string {
	key := x.srp.SessionKey()
	texts := map[string]string{"password": strings.ToLower(password)}
	for what, b := range map[string][]byte{
		"session key": key[:], "salt": x.salt[:], "client's proof": x.proof[33:53], "server's proof": x.m2,
		"server's public key": x.challenge[3:35],
	} {
		if len(b) == 0 {
			continue
		}
		texts[what+" in hex"] = hex.EncodeToString(b)
		texts[what+" in base64"] = strings.ToLower(base64.StdEncoding.EncodeToString(b))
		// How fmt writes bytes that nobody thought of, and encoding/json an array
		// of them: the first eight are enough to tell.
		texts[what+" as numbers"] = strings.Trim(fmt.Sprint(b[:8]), "[]")
		texts[what+" as JSON numbers"] = strings.ReplaceAll(strings.Trim(fmt.Sprint(b[:8]), "[]"), " ", ",")
	}
	return texts
}

// TestLog_NoSecrets: at its most talkative the log says who came and what
// became of it, in whole JSON lines, and not one secret.
func TestLog_NoSecrets(t *testing.T) {
	t.Parallel()
	g := start(t, setup{args: []string{"--log.level", "debug", "--log.format", "json"}})
	g.account("s3cretpw\n", "add", "--password-stdin", "zaphod")
	zaphod := who{"ZAPHOD", "s3cretpw"}
	var exchanges []*exchange
	for _, e := range []edition{vanilla, tbc, wotlk} {
		c := dial(t, g.grunt, e)
		x := c.mustLogin(zaphod)
		exchanges = append(exchanges, x)
		c.worlds()
		c.close()
		c = dial(t, g.grunt, e)
		c.mustReconnect(zaphod.name, x.srp.SessionKey())
		c.close()
		c = dial(t, g.grunt, e)
		wrong := c.challenged(who{zaphod.name, "wr0ngpw"})
		c.send(wrong.proof)
		c.expectClosedAfter(e.refusal(4))
		exchanges = append(exchanges, wrong)
	}
	g.account("n3wpass\n", "passwd", "--password-stdin", "zaphod")
	g.account("", "ban", "zaphod", "--forever", "--reason", "test")
	c := dial(t, g.grunt, tbc)
	c.mustFail(who{zaphod.name, "n3wpass"}, 3)
	verifier := exported(t, g)[zaphod.name]
	g.stop()

	log := strings.ToLower(g.stderr.String() + g.stdout.String())
	for _, x := range exchanges {
		for what, secret := range secretsOf(x, zaphod.password) {
			if strings.Contains(log, secret) {
				t.Errorf("the log holds the %s: %s", what, grep(log, secret))
			}
		}
	}
	for _, secret := range []string{"wr0ngpw", "n3wpass", strings.ToLower(verifier)} {
		if secret == "" || strings.Contains(log, secret) {
			t.Errorf("the log holds %q: %s", secret, grep(log, secret))
		}
	}
	checkJSONLines(t, g.stderr.String(), "logged-in", "reconnected", "refused", "account changed", "drained")
}

// expectClosedAfter wants those bytes and then the end.
func (c *client) expectClosedAfter(want []byte) {
	c.t.Helper()
	c.expect(want)
	c.expectClosed()
}

// checkJSONLines wants every line to be an object with the usual members, and
// each message to be there.
func checkJSONLines(t *testing.T, log string, messages ...string) {
	t.Helper()
	seen := make(map[string]bool)
	for line := range strings.Lines(log) {
		var entry struct {
			Time  time.Time
			Level string
			Msg   string
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Time.IsZero() || entry.Level == "" {
			t.Errorf("no log line: %q (%v)", line, err)
		}
		seen[entry.Msg] = true
	}
	for _, m := range messages {
		if !seen[m] {
			t.Errorf("no line says %q", m)
		}
	}
}

// TestLog_ReaderThatNeverReads: a full pipe behind the log stops nobody; what
// did not fit is counted once the pipe moves again, and the stop is not held up.
func TestLog_ReaderThatNeverReads(t *testing.T) {
	t.Parallel()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	g := start(t, setup{args: []string{"--log.level", "debug"}, stderr: writer})
	writer.Close() // the server has its own
	// The ring and the pipe hold some 5,000 lines of a login; a refused client is
	// the cheapest line there is.
	talk(t, g, 6000)
	begin := time.Now()
	c := dial(t, g.grunt, wotlk)
	c.mustLogin(demo)
	t.Logf("logged in within %v behind a full pipe", time.Since(begin))
	g.healthy()

	var drained sync.WaitGroup
	drained.Go(func() { io.Copy(io.Discard, reader) })
	eventually(t, "what was dropped is counted", func() bool { return g.metric("gatepass_log_dropped_lines_total") > 0 })
	t.Logf("%v lines were dropped", g.metric("gatepass_log_dropped_lines_total"))
	g.stop()
	drained.Wait()
}

// TestLog_StopBehindFullPipe: nobody reads, and the server ends nevertheless.
func TestLog_StopBehindFullPipe(t *testing.T) {
	t.Parallel()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	g := start(t, setup{args: []string{"--log.level", "debug"}, stderr: writer})
	writer.Close()
	talk(t, g, 1500)
	g.stop()
}

// talk makes the server write a line n times.
func talk(t *testing.T, g *gatepass, n int) {
	t.Helper()
	var clients sync.WaitGroup
	for range 6 {
		clients.Go(func() {
			for range n / 6 {
				c := dial(t, g.grunt, v2)
				c.send(c.hello(0x00, "SIXTEENLETTERSXX"))
				c.expect([]byte{0, 0, 9})
				c.close()
			}
		})
	}
	clients.Wait()
}
