package e2e

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"testing"
)

// filesHMAC is what the files of a 5875 on Windows hash to (11).
const filesHMAC = "95edb27c7823b363cbddab56a392e7cb73fcca20"

// provenWith is a proof with a hash of the client's files: SHA1(A ‖ HMAC) (11).
func (x *exchange) provenWith(hmac []byte) []byte {
	proof := bytes.Clone(x.proof)
	sum := sha1.Sum(append(bytes.Clone(proof[1:33]), hmac...))
	copy(proof[53:73], sum[:])
	return proof
}

// onPlatform is a logon challenge from elsewhere: both tags are four bytes, backwards.
func (e *edition) onPlatform(name, arch, system string) []byte {
	b := e.hello(0x00, name)
	copy(b[13:17], arch)
	copy(b[17:21], system)
	return b
}

// TestUpdate_Known: where an operator has said what a build's files hash to, others are
// not let in; nothing is asked of other builds and platforms, nor once that is taken back.
func TestUpdate_Known(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	right, err := hex.DecodeString(filesHMAC)
	must(t, err)
	wrong := bytes.Repeat([]byte{7}, len(right))
	windows, mac := vanilla.hello(0x00, demo.name), vanilla.onPlatform(demo.name, "CPP\x00", "XSO\x00")
	// answer is the second byte of that to a proof.
	answer := func(e edition, hello, hmac []byte) byte {
		t.Helper()
		c := dial(t, g.grunt, e)
		defer c.close()
		c.send(hello)
		x := c.answer(demo, c.receive(c.challenge))
		if hmac != nil {
			x.proof = x.provenWith(hmac)
		}
		c.send(x.proof)
		reply := c.receive(2)
		if reply[1] == 9 {
			c.expectClosed() // its whole length is 2
		}
		return reply[1]
	}
	if got := answer(vanilla, windows, wrong); got != 0 {
		t.Fatalf("without a word of the operator wrong files are answered %d", got)
	}
	patch(t, g.data, "known", "5875", "--platform", "Win-x86", "--hmac", filesHMAC)
	eventually(t, "wrong files are refused", func() bool { return answer(vanilla, windows, wrong) == 9 })
	for _, c := range []struct {
		name  string
		e     edition
		hello []byte
		hmac  []byte
		want  byte
	}{
		{"right files", vanilla, windows, right, 0},
		{"no files", vanilla, windows, nil, 9},
		{"another platform", vanilla, mac, wrong, 0},
		{"another build", wotlk, wotlk.hello(0x00, demo.name), wrong, 0},
	} {
		if got := answer(c.e, c.hello, c.hmac); got != c.want {
			t.Errorf("%s: answered %d, want %d", c.name, got, c.want)
		}
	}
	// Who does not know the password learns nothing of files.
	c := dial(t, g.grunt, vanilla)
	c.mustFail(who{demo.name, "WRONG"}, 4)
	// A session that was proven comes back without files.
	c = dial(t, g.grunt, vanilla)
	x := c.challenged(demo)
	c.send(x.provenWith(right))
	c.accepted(x)
	c.close()
	dial(t, g.grunt, vanilla).mustReconnect(demo.name, x.srp.SessionKey())

	patch(t, g.data, "known", "5875", "--platform", "Win-x86", "--remove")
	eventually(t, "files do not matter any more", func() bool { return answer(vanilla, windows, wrong) == 0 })
	g.healthy()
}
