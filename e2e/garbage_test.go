package e2e

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"
)

// TestGarbage_FirstByte: of all bytes two may come first; the others end the
// connection without a word.
func TestGarbage_FirstByte(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	for op := range 256 {
		if op == 0x00 || op == 0x02 {
			continue
		}
		c := dial(t, g.grunt, vanilla)
		c.send(append([]byte{byte(op)}, make([]byte, 80)...))
		c.expectClosed()
		c.close()
	}
	g.healthy()
}

// TestGarbage_Challenge: a challenge that fits no layout is refused as a wrong
// name is.
func TestGarbage_Challenge(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	good := vanilla.hello(0x00, demo.name)
	spoiled := map[string]func(b []byte) []byte{
		"size says nothing":   func(b []byte) []byte { b[2], b[3] = 0, 0; return b },
		"size says all":       func(b []byte) []byte { b[2], b[3] = 0xff, 0xff; return b },
		"size is one short":   func(b []byte) []byte { b[2]--; return b },
		"size is one long":    func(b []byte) []byte { b[2]++; return b },
		"name length 0":       func(b []byte) []byte { b[2], b[33] = 30, 0; return b[:34] },
		"name length 255":     func(b []byte) []byte { b[33] = 255; return b },
		"zero in the name":    func(b []byte) []byte { b[35] = 0; return b },
		"name of 17 bytes":    func([]byte) []byte { return vanilla.hello(0x00, "ABCDEFGHIJKLMNOPQ") },
		"name beyond ASCII":   func([]byte) []byte { return vanilla.hello(0x00, "D\xc3\x89MO") },
		"name with a colon":   func([]byte) []byte { return vanilla.hello(0x00, "DE:MO") },
		"name of a bell":      func([]byte) []byte { return vanilla.hello(0x00, "\a") },
		"rest is not waited":  func(b []byte) []byte { b[3] = 1; return b[:4] },
		"followed by garbage": func(b []byte) []byte { b[2]++; return append(b, bytes.Repeat([]byte{0xee}, 4000)...) },
	}
	for name, spoil := range spoiled {
		t.Run(name, func(t *testing.T) {
			for op, refusal := range map[byte][]byte{0x00: {0, 0, 4}, 0x02: {2, 4}} {
				b := spoil(slices.Clone(good))
				b[0] = op
				c := dial(t, g.grunt, vanilla)
				c.send(b)
				c.expect(refusal)
				c.expectClosed()
			}
		})
	}
	g.healthy()
}

// TestGarbage_OutOfPlace: after a challenge only its proof is good.
func TestGarbage_OutOfPlace(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	for op := range 256 {
		c := dial(t, g.grunt, tbc)
		c.challenged(demo)
		if op == 0x01 {
			continue
		}
		c.send(append([]byte{byte(op)}, make([]byte, 80)...))
		c.expectClosed()
		c.close()
	}
	// A second challenge is no exception.
	c := dial(t, g.grunt, tbc)
	c.challenged(demo)
	c.send(c.hello(0x00, demo.name))
	c.expectClosed()
	// Nor is a list that nobody has proven himself for.
	c = dial(t, g.grunt, tbc)
	c.challenged(who{"NOBODY", "x"})
	c.send([]byte{0x10, 0, 0, 0, 0})
	c.expectClosed()
	// Nor a second proof behind a good one.
	c = dial(t, g.grunt, tbc)
	x := c.mustLogin(demo)
	c.send(x.proof)
	c.expectClosed()
	g.healthy()
}

// TestGarbage_Pipelined: who sends a proof along with the challenge cannot have
// answered it. He is refused, and so is whatever stands behind.
func TestGarbage_Pipelined(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	for _, e := range []edition{vanilla, wotlk} {
		for _, behind := range [][]byte{nil, {0x10, 0, 0, 0, 0}, bytes.Repeat([]byte{0x10, 0, 0, 0, 0}, 300)} {
			c := dial(t, g.grunt, e)
			proof := c.proofMessage([32]byte{1}, [20]byte{2})
			c.send(slices.Concat(c.hello(0x00, demo.name), proof, behind))
			answer := c.rest()
			// By the time of the proof the challenge may be on its way or not.
			if len(answer) > e.challenge {
				answer = answer[e.challenge:]
			}
			if len(answer) > 0 && (len(answer) != e.refused || answer[0] != 1 || answer[1] == 0) {
				t.Errorf("%s: answered % x", e.name, answer)
			}
		}
	}
	g.healthy()
}

// TestGarbage_PipelinedViolation: the word about a violation is the last one,
// also when the answer to what came before it is still on its way.
func TestGarbage_PipelinedViolation(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	refusal := wotlk.refusal(4)
	unknown := edition{build: 1}
	for range 50 {
		bad := wotlk.proofMessage([32]byte{1}, [20]byte{2})
		bad[len(bad)-1] = 0x80 // a second factor that nobody knows
		c := dial(t, g.grunt, wotlk)
		c.send(slices.Concat(c.hello(0x00, demo.name), bad))
		if b := c.rest(); !bytes.HasSuffix(b, refusal) || len(b) != 4 && len(b) != wotlk.challenge+4 {
			t.Fatalf("answered % x", b)
		}
		c = dial(t, g.grunt, wotlk)
		c.send(slices.Concat(unknown.hello(0x00, demo.name), bad))
		if b := c.rest(); len(b) > 4 {
			t.Fatalf("two refusals: % x", b)
		}
	}
	g.healthy()
}

// TestGarbage_Truncated: a client may leave at any byte.
func TestGarbage_Truncated(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	hello := vanilla.hello(0x00, demo.name)
	for n := range hello {
		c := dial(t, g.grunt, vanilla)
		c.send(hello[:n])
		c.close()
	}
	for n := 0; n < vanilla.proofLength; n += 7 {
		c := dial(t, g.grunt, vanilla)
		c.send(c.challenged(demo).proof[:n])
		c.close()
	}
	eventually(t, "all connections are gone", func() bool { return g.metric("gatepass_connections") == 0 })
	g.healthy()
}

// TestGarbage_Random: whatever comes, nothing but a refusal goes back, and the
// server goes on. The seed is in the log.
func TestGarbage_Random(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	rounds := 400
	if testing.Short() {
		rounds = 60
	}
	for range rounds {
		c := dial(t, g.grunt, wotlk)
		b := randomMessage(r)
		_, _ = c.conn.Write(b) // it may be hung up on before the end
		_ = c.conn.(interface{ CloseWrite() error }).CloseWrite()
		c.conn.SetReadDeadline(time.Now().Add(patience))
		answer, err := io.ReadAll(c.conn)
		if err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Fatalf("after % x: %v", b, err)
		}
		if !slices.Contains(harmless, len(answer)) {
			t.Errorf("%.200x was answered with %x", b, answer)
		}
		c.close()
	}
	g.healthy()
}

// harmless are the lengths of all that a client may be sent that has proven
// nothing: nothing, a refusal, a challenge, and a challenge with a refusal behind.
var harmless = []int{0, 2, 3, 4, 34, 34 + 4, wotlk.challenge, wotlk.challenge + 4}

// randomMessage is noise, or a good message with a few bytes turned.
func randomMessage(r *rand.Rand) []byte {
	b := make([]byte, 1+r.IntN(9000))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	switch r.IntN(3) {
	case 0:
		b[0] = byte(r.IntN(3))
	case 1:
		b = slices.Concat(wotlk.hello(0x00, demo.name), wotlk.proofMessage([32]byte{1}, [20]byte{}))
		for range 1 + r.IntN(4) {
			b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		}
	}
	return b
}

// TestGarbage_Flood: who sends and sends before he is answered is cut off, in a
// bounded space.
func TestGarbage_Flood(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	c := dial(t, g.grunt, wotlk)
	c.mustLogin(demo)
	// Lists, asked for faster than they are read: the server may answer, but not
	// keep what does not fit.
	ask := bytes.Repeat([]byte{0x10, 0, 0, 0, 0}, 10_000)
	var err error
	c.conn.SetWriteDeadline(time.Now().Add(patience))
	for range 400 {
		if _, err = c.conn.Write(ask); err != nil {
			break
		}
	}
	if err == nil || errors.Is(err, io.EOF) {
		t.Fatalf("4 million lists were asked for and none read: %v", err)
	}
	eventually(t, "it is cut off", func() bool { return g.metric("gatepass_connections") == 0 })
	g.healthy()
}

// TestFloodOfHandshakes: connections that open and go, by the thousand.
func TestFloodOfHandshakes(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	count := 1500
	if testing.Short() {
		count = 200
	}
	for i := range count {
		c := dial(t, g.grunt, vanilla)
		if i%2 == 0 {
			c.send(c.hello(0x00, "NOBODY"))
		}
		c.close()
	}
	eventually(t, "all connections are gone", func() bool { return g.metric("gatepass_connections") == 0 })
	eventually(t, "and their sessions", func() bool { return g.metric("gatepass_sessions") == 0 })
	for _, line := range []string{"level=ERROR", "level=WARN"} {
		if lines := grep(g.stderr.String(), line); lines != "" {
			t.Errorf("a stranger can fill the log:\n%.2000s", lines)
		}
	}
	g.healthy()
}
