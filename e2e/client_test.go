package e2e

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"gatepass/auth/srp6"
)

// edition is a release of the game client with the sizes that its layouts give
// the server's replies (protocol page, sections 6 to 8).
type edition struct {
	name          string
	build         uint16
	version       [3]byte
	loginByte     byte // protocol version it sends to log in
	reconnectByte byte // and to reconnect
	challenge     int  // bytes of a good answer to its challenge
	proof         int  // to its proof
	refused       int  // of a refusal of its proof
	proofLength   int  // of its own proof
	reconnected   int  // of a good answer to its reconnect proof
}

// The releases that are tried: one of each layout.
var (
	v2      = edition{"1.1.2", 4125, [3]byte{1, 1, 2}, 2, 2, 118, 26, 2, 74, 2}
	vanilla = edition{"1.12.1", 5875, [3]byte{1, 12, 1}, 3, 2, 119, 26, 2, 75, 2}
	v5      = edition{"2.0.3", 6299, [3]byte{2, 0, 3}, 5, 5, 119, 28, 4, 75, 4}
	v7      = edition{"2.3.3", 7799, [3]byte{2, 3, 3}, 7, 7, 119, 28, 4, 75, 4}
	tbc     = edition{"2.4.3", 8606, [3]byte{2, 4, 3}, 8, 8, 119, 32, 4, 75, 4}
	wotlk   = edition{"3.3.5a", 12340, [3]byte{3, 3, 5}, 8, 8, 119, 32, 4, 75, 4}
)

// editions are all of them; allBuilds lets them in.
var editions = []edition{v2, vanilla, v5, v7, tbc, wotlk}

const allBuilds = "GATEPASS_BUILDS=4125,5875,6299,7799,8606,12340"

// who is an account as its player knows it.
type who struct{ name, password string }

// demo is the account that `gatepass dev` makes.
var demo = who{"DEMO", "DEMO"}

// client is a game client. It belongs to one goroutine and fails its test by
// itself.
type client struct {
	t testing.TB
	edition
	conn net.Conn
}

// dial connects a client; the test's end closes it.
func dial(t testing.TB, addr string, e edition) *client {
	t.Helper()
	return dialFrom(t, addr, e, "")
}

// dialFrom connects from a loopback address of its own, such as 127.0.0.2.
func dialFrom(t testing.TB, addr string, e edition, from string) *client {
	t.Helper()
	d := net.Dialer{Timeout: patience}
	if from != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	conn, err := d.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, edition: e, conn: conn}
	t.Cleanup(c.close)
	return c
}

func (c *client) close() { _ = c.conn.Close() }

// send writes all of b in one go.
func (c *client) send(b []byte) {
	c.t.Helper()
	c.conn.SetWriteDeadline(time.Now().Add(patience))
	if _, err := c.conn.Write(b); err != nil {
		c.t.Fatalf("%s: send: %v", c.name, err)
	}
}

// receive reads n bytes.
func (c *client) receive(n int) []byte {
	c.t.Helper()
	b := make([]byte, n)
	c.conn.SetReadDeadline(time.Now().Add(patience))
	if got, err := io.ReadFull(c.conn, b); err != nil {
		c.t.Fatalf("%s: %d of %d bytes came, % x: %v", c.name, got, n, b[:got], err)
	}
	return b
}

// expect reads as many bytes as want has, which must be the same.
func (c *client) expect(want []byte) {
	c.t.Helper()
	if got := c.receive(len(want)); !bytes.Equal(got, want) {
		c.t.Fatalf("%s: received % x, want % x", c.name, got, want)
	}
}

// rest reads to the end of the connection, which must come, and returns what
// came before it.
func (c *client) rest() []byte {
	c.t.Helper()
	c.conn.SetReadDeadline(time.Now().Add(patience))
	b, err := io.ReadAll(c.conn)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		c.t.Fatalf("%s: the server does not close; % x came: %v", c.name, b, err)
	}
	return b
}

// expectClosed wants the end of the connection and nothing before it.
func (c *client) expectClosed() {
	c.t.Helper()
	if b := c.rest(); len(b) > 0 {
		c.t.Fatalf("%s: % x came instead of the end", c.name, b)
	}
}

// hello is a logon (00) or reconnect (02) challenge (6.1).
func (e *edition) hello(opcode byte, name string) []byte {
	version := e.loginByte
	if opcode == 0x02 {
		version = e.reconnectByte
	}
	b := []byte{opcode, version}
	b = binary.LittleEndian.AppendUint16(b, uint16(30+len(name)))
	b = append(b, "WoW\x00"...)
	b = append(b, e.version[:]...)
	b = binary.LittleEndian.AppendUint16(b, e.build)
	b = append(b, "68x\x00"+"niW\x00"+"BGne"...)
	b = append(b, 60, 0, 0, 0, 127, 0, 0, 1)
	return append(append(b, byte(len(name))), name...)
}

// exchange is one client's side of a login, as far as it has come.
type exchange struct {
	srp       *srp6.Client
	challenge []byte // the server's
	proof     []byte // the client's
	salt      srp6.Salt
	name      string
	m2        []byte // the server's
}

// challenged says the name and takes the challenge.
func (c *client) challenged(w who) *exchange {
	c.t.Helper()
	c.send(c.hello(0x00, w.name))
	return c.answer(w, c.receive(c.challenge))
}

// answer computes the proof for a challenge that has come.
func (c *client) answer(w who, challenge []byte) *exchange {
	c.t.Helper()
	var secret [32]byte
	rand.Read(secret[:])
	x := &exchange{srp: srp6.NewClient(w.name, w.password, &secret), challenge: challenge, name: w.name}
	if !bytes.Equal(challenge[:3], []byte{0, 0, 0}) {
		c.t.Fatalf("%s: challenge begins with % x", c.name, challenge[:3])
	}
	x.salt = srp6.Salt(challenge[70:102])
	B := srp6.PublicKey(challenge[3:35])
	m1, err := x.srp.Respond(&B, &x.salt)
	if err != nil {
		c.t.Fatal(err)
	}
	x.proof = c.proofMessage(x.srp.PublicKey(), m1)
	return x
}

// proofMessage is a logon proof (7.1), its file hash as third-party clients send it.
func (e *edition) proofMessage(a srp6.PublicKey, m1 srp6.Proof) []byte {
	b := append([]byte{0x01}, a[:]...)
	b = append(b, m1[:]...)
	b = append(b, make([]byte, 20)...)
	b = append(b, 0, 0)
	return b[:e.proofLength]
}

// accepted takes the reply to a right proof and checks it to the last byte.
func (c *client) accepted(x *exchange) {
	c.t.Helper()
	reply := c.receive(c.proof)
	m2 := srp6.Proof(reply[2:22])
	if !bytes.Equal(reply[:2], []byte{1, 0}) || x.srp.CheckServer(&m2) != nil {
		c.t.Fatalf("%s: no good answer to the proof: % x", c.name, reply)
	}
	x.m2 = reply[2:22]
	if tail := reply[22:]; !bytes.Equal(tail, c.proofTail()) {
		c.t.Fatalf("%s: the answer ends with % x, want % x", c.name, tail, c.proofTail())
	}
}

// proofTail is what stands behind M2 (7.2): account flags, survey, login flags.
func (e *edition) proofTail() []byte {
	switch e.proof {
	case 26:
		return []byte{0, 0, 0, 0}
	case 28:
		return []byte{0, 0, 0, 0, 0, 0}
	}
	return []byte{0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0}
}

// refusal is how a proof is refused with a code (7.2).
func (e *edition) refusal(code byte) []byte {
	if e.refused == 2 {
		return []byte{1, code}
	}
	return []byte{1, code, 3, 0}
}

// mustLogin logs in and stays connected.
func (c *client) mustLogin(w who) *exchange {
	c.t.Helper()
	x := c.challenged(w)
	c.send(x.proof)
	c.accepted(x)
	return x
}

// mustFail tries to log in, is refused with the code and then disconnected.
func (c *client) mustFail(w who, code byte) {
	c.t.Helper()
	c.send(c.challenged(w).proof)
	c.expect(c.refusal(code))
	c.expectClosed()
}

// worlds asks for the list of worlds and returns it whole.
func (c *client) worlds() []byte {
	c.t.Helper()
	c.send([]byte{0x10, 0, 0, 0, 0})
	head := c.receive(3)
	if head[0] != 0x10 {
		c.t.Fatalf("%s: list begins with % x", c.name, head)
	}
	return append(head, c.receive(int(binary.LittleEndian.Uint16(head[1:])))...)
}

// rechallenged says the name of an account that has logged in and returns the
// server's challenge data.
func (c *client) rechallenged(name string) (data [16]byte) {
	c.t.Helper()
	c.send(c.hello(0x02, name))
	reply := c.receive(34)
	if !bytes.Equal(reply[:2], []byte{2, 0}) {
		c.t.Fatalf("%s: reconnect challenge begins with % x", c.name, reply[:2])
	}
	return [16]byte(reply[2:18])
}

// reproof is a reconnect proof (8.1).
func reproof(name string, data [16]byte, key srp6.SessionKey) []byte {
	var r1 [16]byte
	rand.Read(r1[:])
	r2, r3 := srp6.ReconnectProof([]byte(name), &r1, &data, &key), srp6.ReconnectChecksum(&r1)
	b := append([]byte{0x03}, r1[:]...)
	return append(append(append(b, r2[:]...), r3[:]...), 0)
}

// mustReconnect logs in by the key of an earlier login.
func (c *client) mustReconnect(name string, key srp6.SessionKey) {
	c.t.Helper()
	c.send(reproof(name, c.rechallenged(name), key))
	want := make([]byte, c.reconnected)
	want[0] = 0x03
	c.expect(want)
}
