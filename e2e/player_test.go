package e2e

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"syscall"
	"time"

	"gatepass/auth/srp6"
)

// player is a game client that goes all the way, from the login server into a
// world and back. Unlike client it returns its errors, so that hundreds can play
// at once; it belongs to one goroutine.
type player struct {
	edition
	account who
	// limit is how long it waits for one answer; 0 is patience.
	limit time.Duration
	conn  net.Conn // to a login server, nil for none
	key   srp6.SessionKey
}

// refusedError is an answer that says no.
type refusedError struct {
	at   string // what was asked
	code byte
}

func (e refusedError) Error() string { return fmt.Sprintf("%s was refused: %#02x", e.at, e.code) }

// refused tells whether err is a polite no, and which.
func refused(err error) (code byte, ok bool) {
	var e refusedError
	ok = errors.As(err, &e)
	return e.code, ok
}

// hungUp tells whether err is that the other side has closed the connection, or
// was not there.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNREFUSED)
}

// timedOut tells whether err is that nothing came in time.
func timedOut(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

func (p *player) patience() time.Duration {
	if p.limit > 0 {
		return p.limit
	}
	return patience
}

// connect dials a login server, and leaves the one before.
func (p *player) connect(addr string) error {
	p.leave()
	conn, err := net.DialTimeout("tcp", addr, p.patience())
	if err != nil {
		return err
	}
	p.conn = conn
	return nil
}

// leave closes the connection to the login server.
func (p *player) leave() {
	if p.conn != nil {
		_ = p.conn.Close()
		p.conn = nil
	}
}

// ask sends a message and reads n bytes of its answer.
func (p *player) ask(message []byte, n int) ([]byte, error) {
	_ = p.conn.SetDeadline(time.Now().Add(p.patience()))
	if _, err := p.conn.Write(message); err != nil {
		return nil, err
	}
	b := make([]byte, n)
	_, err := io.ReadFull(p.conn, b)
	return b, err
}

// answers is ask for an answer of n bytes that begins with the opcode and a code:
// the first two bytes tell how much there is.
func (p *player) answers(at string, message []byte, n int) ([]byte, error) {
	head, err := p.ask(message, 2)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	if head[0] != message[0] {
		return nil, fmt.Errorf("%s: the answer begins with % x", at, head)
	}
	if head[1] != 0 {
		return nil, refusedError{at, head[1]}
	}
	rest := make([]byte, n-2)
	if _, err := io.ReadFull(p.conn, rest); err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	return append(head, rest...), nil
}

// login connects and proves the password.
func (p *player) login(addr string) error {
	if err := p.connect(addr); err != nil {
		return fmt.Errorf("login: %w", err)
	}
	hello := p.hello(0x00, p.account.name)
	head, err := p.ask(hello, 3)
	switch {
	case err != nil:
		return fmt.Errorf("challenge: %w", err)
	case head[2] != 0:
		return refusedError{"challenge", head[2]}
	}
	rest := make([]byte, p.challenge-3)
	if _, err := io.ReadFull(p.conn, rest); err != nil {
		return fmt.Errorf("challenge: %w", err)
	}
	var secret [32]byte
	rand.Read(secret[:])
	srp := srp6.NewClient(p.account.name, p.account.password, &secret)
	B, salt := srp6.PublicKey(rest[:32]), srp6.Salt(rest[67:99])
	m1, err := srp.Respond(&B, &salt)
	if err != nil {
		return err
	}
	reply, err := p.answers("login", p.proofMessage(srp.PublicKey(), m1), p.proof)
	if err != nil {
		return err
	}
	if m2 := srp6.Proof(reply[2:22]); srp.CheckServer(&m2) != nil {
		return errors.New("the server does not know the password")
	}
	p.key = srp.SessionKey()
	return nil
}

// comeBack connects and proves the key of its login.
func (p *player) comeBack(addr string) error {
	if err := p.connect(addr); err != nil {
		return fmt.Errorf("reconnect: %w", err)
	}
	reply, err := p.answers("reconnect challenge", p.hello(0x02, p.account.name), 34)
	if err != nil {
		return err
	}
	_, err = p.answers("reconnect", reproof(p.account.name, [16]byte(reply[2:18]), p.key), p.reconnected)
	return err
}

// realm is a world as a client sees it.
type realm struct {
	flags      byte
	name, addr string
	population float32
	id         byte
}

// offline tells whether a client lets its player not go there.
func (r *realm) offline() bool { return r.flags&0x02 != 0 }

// realms asks for the list of worlds.
func (p *player) realms() (map[byte]realm, error) {
	head, err := p.ask([]byte{0x10, 0, 0, 0, 0}, 3)
	if err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	body := make([]byte, binary.LittleEndian.Uint16(head[1:]))
	if _, err := io.ReadFull(p.conn, body); err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	if head[0] != 0x10 {
		return nil, fmt.Errorf("list: it begins with % x", head)
	}
	return p.parseRealms(body)
}

// parseRealms reads the layouts of 1.12 and 3.3.5 (10.2).
func (p *player) parseRealms(body []byte) (list map[byte]realm, err error) {
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("list: cannot be read: % x", body)
		}
	}()
	list = make(map[byte]realm)
	old := p.build < 6299
	count, b := int(binary.LittleEndian.Uint16(body[4:])), body[6:]
	if old {
		count, b = int(body[4]), body[5:]
	}
	text := func() string {
		for i := range b {
			if b[i] == 0 {
				s := string(b[:i])
				b = b[i+1:]
				return s
			}
		}
		panic("no end")
	}
	for range count {
		var r realm
		if old {
			r.flags, b = b[4], b[5:]
		} else {
			r.flags, b = b[2], b[3:]
		}
		r.name, r.addr = text(), text()
		r.population = math.Float32frombits(binary.LittleEndian.Uint32(b))
		r.id, b = b[6], b[7:]
		if !old && r.flags&0x04 != 0 {
			b = b[5:] // version and build
		}
		list[r.id] = r
	}
	if len(list) != count || len(b) != 2 {
		return nil, fmt.Errorf("list: %d of %d worlds, % x behind them", len(list), count, b)
	}
	return list, nil
}
