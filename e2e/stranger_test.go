package e2e

import (
	"bytes"
	"slices"
	"testing"
	"time"
)

// TestStranger_SeesOneAnswer: an unknown account and a wrong password are told
// apart by no byte and no length, and a salt stays what it is, so that asking
// twice tells nothing either.
func TestStranger_SeesOneAnswer(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	salts := make(map[string][]byte)
	for range 2 { // the second time behind a restart
		for range 3 {
			for _, name := range []string{demo.name, "NOBODY", "nobody", "NOBODY2"} {
				challenge := refusedLogin(t, g, name)
				salt := challenge[70:102]
				if old, ok := salts[name]; ok && !bytes.Equal(salt, old) {
					t.Errorf("the salt of %s was % x and is % x", name, old, salt)
				}
				salts[name] = salt
			}
		}
		g.stop()
		g = start(t, setup{data: g.data})
	}
	if !bytes.Equal(salts["NOBODY"], salts["nobody"]) {
		t.Error("the salt of an unknown account hangs on the spelling of its name")
	}
	if bytes.Equal(salts["NOBODY"], salts["NOBODY2"]) {
		t.Error("two unknown accounts have one salt")
	}
}

// TestStranger_SaltsDifferByServer: a made-up salt is this server's own, so that
// it cannot be looked up.
func TestStranger_SaltsDifferByServer(t *testing.T) {
	t.Parallel()
	a, b := start(t, setup{}), start(t, setup{})
	one, two := refusedLogin(t, a, "NOBODY"), refusedLogin(t, b, "NOBODY")
	if bytes.Equal(one[70:102], two[70:102]) {
		t.Error("two servers make up the same salt")
	}
}

// refusedLogin tries a wrong password and checks all that does not depend on
// chance. It returns the challenge.
func refusedLogin(t *testing.T, g *gatepass, name string) []byte {
	t.Helper()
	c := dial(t, g.grunt, vanilla)
	x := c.challenged(who{name, "WRONG"})
	checkChallenge(t, &vanilla, x.challenge)
	c.send(x.proof)
	c.expect(c.refusal(4))
	c.expectClosed()
	return x.challenge
}

// TestStranger_SeesOneTime: both answers take the same time. The samples are
// taken in turn, so that what disturbs the machine disturbs both; the bound is
// wide, for a machine that is busy. No other test runs meanwhile.
func TestStranger_SeesOneTime(t *testing.T) {
	g := start(t, setup{})
	samples := 300
	if testing.Short() {
		samples = 60
	}
	names := []string{demo.name, "NOBODY"}
	var challenge, proof [2][]time.Duration
	for i := range samples + 20 {
		for j := range names {
			who := (i + j) % 2 // neither always comes first
			ch, pr := timedRefusal(t, g, names[who])
			if i >= 20 { // warmed up
				challenge[who], proof[who] = append(challenge[who], ch), append(proof[who], pr)
			}
		}
	}
	compareMedians(t, "challenge", challenge)
	compareMedians(t, "proof", proof)
}

// timedRefusal tries a wrong password and measures from each message to its
// answer.
func timedRefusal(t *testing.T, g *gatepass, name string) (challenge, proof time.Duration) {
	t.Helper()
	c := dial(t, g.grunt, vanilla)
	defer c.close()
	begin := time.Now()
	c.send(c.hello(0x00, name))
	reply := c.receive(c.challenge)
	challenge = time.Since(begin)
	x := c.answer(who{name, "WRONG"}, reply)
	begin = time.Now()
	c.send(x.proof)
	c.expect(c.refusal(4))
	return challenge, time.Since(begin)
}

func compareMedians(t *testing.T, what string, took [2][]time.Duration) {
	t.Helper()
	for i := range took {
		slices.Sort(took[i])
	}
	known, unknown := took[0][len(took[0])/2], took[1][len(took[1])/2]
	bound := max(known/4, 200*time.Microsecond)
	t.Logf("%s: wrong password %v, unknown account %v (medians of %d)", what, known, unknown, len(took[0]))
	if diff := (known - unknown).Abs(); diff > bound {
		t.Errorf("%s: the medians differ by %v, the bound is %v", what, diff, bound)
	}
}
