package gate_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"gatepass/codec"
	"gatepass/codec/world"
)

// client is a game client at a gate.
type client struct {
	conn   net.Conn
	half   *world.Client
	build  uint16
	unread []byte
	used   int
	seed   [4]byte
	hello  []byte // the AUTH_SESSION that was sent
}

// dial connects and reads the challenge.
func dial(addr netip.AddrPort, build uint16) (*client, error) {
	conn, err := net.Dial("tcp", addr.String())
	if err != nil {
		return nil, err
	}
	half, err := world.NewClient(build)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	c := &client{conn: conn, half: half, build: build}
	p, err := c.read()
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	challenge, err := world.ParseAuthChallenge(p.Body, half.Era())
	c.seed = challenge.Seed
	return c, err
}

func mustDial(tb testing.TB, addr netip.AddrPort, build uint16) *client {
	tb.Helper()
	c, err := dial(addr, build)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.close)
	return c
}

func (c *client) close() { _ = c.conn.Close() }

func isReset(err error) bool { return errors.Is(err, syscall.ECONNRESET) }

// read waits for one packet.
func (c *client) read() (world.Packet, error) {
	_ = c.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	c.unread = append(c.unread[:0], c.unread[c.used:]...)
	c.used = 0
	for {
		p, n, err := c.half.Decode(c.unread)
		if err == nil {
			c.used = n
			return p, nil
		}
		if !errors.Is(err, codec.ErrShort) {
			return p, err
		}
		var b [4096]byte
		n, err = c.conn.Read(b[:])
		c.unread = append(c.unread, b[:n]...)
		switch {
		case errors.Is(err, io.EOF), isReset(err):
			return p, errClosed
		case errors.Is(err, os.ErrDeadlineExceeded):
			return p, errors.New("nothing came")
		case err != nil:
			return p, err
		}
	}
}

// introduce sends the AUTH_SESSION.
func (c *client) introduce(account string, key [40]byte) error {
	a := world.AuthSession{WorldAuth: codec.WorldAuth{
		Name: nameOf(account), Build: c.build, ClientSeed: [4]byte{1, 2, 3, 4},
	}}
	a.Sign(c.seed, &key)
	var err error
	if c.hello, err = c.half.AppendAuthSession(nil, &a, &key); err != nil {
		return err
	}
	_, err = c.conn.Write(c.hello)
	return err
}

// answer waits for an auth response.
func (c *client) answer() (world.AuthResponse, error) {
	p, err := c.read()
	if err != nil {
		return world.AuthResponse{}, err
	}
	if p.Opcode != world.SMSGAuthResponse {
		return world.AuthResponse{}, fmt.Errorf("opcode %#x is no auth response", p.Opcode)
	}
	return world.ParseAuthResponse(p.Body, c.half.Era())
}

func (c *client) mustAnswer(tb testing.TB, code uint8) world.AuthResponse {
	tb.Helper()
	a, err := c.answer()
	if err != nil || a.Code != code {
		tb.Fatalf("answer %s, %v, want %s", world.CodeName(a.Code), err, world.CodeName(code))
	}
	return a
}

func (c *client) mustIntroduce(tb testing.TB, account string, key [40]byte) {
	tb.Helper()
	if err := c.introduce(account, key); err != nil {
		tb.Fatal(err)
	}
}

// mustAsk sends a packet and checks the answer.
func (c *client) mustAsk(tb testing.TB, opcode uint32, body []byte, want world.Packet) {
	tb.Helper()
	b, err := c.half.AppendPacket(nil, opcode, body)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := c.conn.Write(b); err != nil {
		tb.Fatal(err)
	}
	p, err := c.read()
	if err != nil || p.Opcode != want.Opcode || !bytes.Equal(p.Body, want.Body) {
		tb.Fatalf("%#x was answered by %#x % x, %v, want %#x % x", opcode, p.Opcode, p.Body, err, want.Opcode, want.Body)
	}
}

func (c *client) mustBeClosed(tb testing.TB) {
	tb.Helper()
	for {
		_, err := c.read()
		if errors.Is(err, errClosed) {
			return
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
}
