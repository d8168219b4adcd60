package e2e

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"time"

	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/codec/world"
)

// visit is a client's connection to the gate of a world. It belongs to one
// goroutine.
type visit struct {
	p      *player
	conn   net.Conn
	client *world.Client
	unread []byte
	// session is what it introduced itself with, whole.
	session []byte
	// place is where in line it was told to be last, 0 for none.
	place uint32
}

// knock connects to a gate, introduces the player and returns once it is in, or in
// line. What the gate says else is a refusedError.
func (p *player) knock(addr string) (*visit, error) {
	v, err := p.introduce(addr, p.key)
	if err != nil {
		return nil, err
	}
	if err := v.verdict(); err != nil {
		v.leave()
		return nil, err
	}
	return v, nil
}

// introduce goes to a gate and says who it is, with that key.
func (p *player) introduce(addr string, key srp6.SessionKey) (*visit, error) {
	v, seed, err := p.stand(addr)
	if err != nil {
		return nil, err
	}
	a := world.AuthSession{}
	a.Build = p.build
	name, _ := codec.NameOf([]byte(p.account.name))
	a.Name = name
	rand.Read(a.ClientSeed[:])
	k := [40]byte(key)
	a.Sign(seed, &k)
	if v.session, err = v.client.AppendAuthSession(nil, &a, &k); err == nil {
		err = v.send(v.session)
	}
	if err != nil {
		v.leave()
		return nil, fmt.Errorf("auth session: %w", err)
	}
	return v, nil
}

// stand connects to a gate and takes its challenge.
func (p *player) stand(addr string) (v *visit, seed [4]byte, err error) {
	conn, err := net.DialTimeout("tcp", addr, p.patience())
	if err != nil {
		return nil, seed, fmt.Errorf("gate: %w", err)
	}
	client, err := world.NewClient(p.build)
	if err != nil {
		return nil, seed, errors.Join(err, conn.Close())
	}
	v = &visit{p: p, conn: conn, client: client}
	packet, err := v.next()
	if err == nil && packet.Opcode != world.SMSGAuthChallenge {
		err = fmt.Errorf("the gate begins with %#x", packet.Opcode)
	}
	var challenge world.AuthChallenge
	if err == nil {
		challenge, err = world.ParseAuthChallenge(packet.Body, client.Era())
	}
	if err != nil {
		v.leave()
		return nil, seed, fmt.Errorf("auth challenge: %w", err)
	}
	return v, challenge.Seed, nil
}

func (v *visit) leave() { _ = v.conn.Close() }

func (v *visit) send(b []byte) error {
	_ = v.conn.SetWriteDeadline(time.Now().Add(v.p.patience()))
	_, err := v.conn.Write(b)
	return err
}

// next is the next packet of the gate. Its body is good until the next call.
func (v *visit) next() (world.Packet, error) {
	_ = v.conn.SetReadDeadline(time.Now().Add(v.p.patience()))
	for {
		packet, n, err := v.client.Decode(v.unread)
		if err == nil {
			v.unread = v.unread[n:]
			return packet, nil
		}
		if !errors.Is(err, codec.ErrShort) {
			return world.Packet{}, err
		}
		more := make([]byte, 4096)
		n, err = v.conn.Read(more)
		v.unread = append(v.unread, more[:n]...)
		if n == 0 && err != nil {
			return world.Packet{}, err
		}
	}
}

// verdict takes an answer to the auth session: nil for in (place 0) or in line.
func (v *visit) verdict() error {
	packet, err := v.next()
	if err != nil {
		return fmt.Errorf("auth response: %w", err)
	}
	if packet.Opcode != world.SMSGAuthResponse {
		return fmt.Errorf("auth response: got %#x", packet.Opcode)
	}
	a, err := world.ParseAuthResponse(packet.Body, v.client.Era())
	switch {
	case err != nil:
		return fmt.Errorf("auth response: %w", err)
	case a.Code == world.CodeOK:
		v.place = 0
		return nil
	case a.Code == world.CodeWaitQueue:
		v.place = a.Position
		return nil
	}
	return refusedError{"gate", a.Code}
}

// waitInLine returns once it is let in.
func (v *visit) waitInLine() error {
	for v.place > 0 {
		if err := v.verdict(); err != nil {
			return err
		}
	}
	return nil
}

// look asks for the characters, of which there are none, and pings. It is nil
// while the player is in and well.
func (v *visit) look() error {
	body, err := v.call(world.CMSGCharEnum, nil, world.SMSGCharEnum)
	if err != nil {
		return err
	}
	if n, err := world.ParseCharEnum(body); err != nil || n != 0 {
		return fmt.Errorf("%d characters, %w", n, err)
	}
	ping := world.Ping{Sequence: 0x11223344, Latency: 5}
	if body, err = v.call(world.CMSGPing, world.AppendPing(nil, ping), world.SMSGPong); err != nil {
		return err
	}
	if n, err := world.ParsePong(body); err != nil || n != ping.Sequence {
		return fmt.Errorf("pong %#x, %w", n, err)
	}
	return nil
}

// call sends a packet and takes the answer, which must be of that opcode.
func (v *visit) call(opcode uint32, body []byte, answer uint16) ([]byte, error) {
	b, err := v.client.AppendPacket(nil, opcode, body)
	if err == nil {
		err = v.send(b)
	}
	if err != nil {
		return nil, err
	}
	packet, err := v.next()
	if err == nil && packet.Opcode != answer {
		err = fmt.Errorf("asked %#x and was answered %#x", opcode, packet.Opcode)
	}
	return packet.Body, err
}

// ended returns once the gate has closed the connection; an error if it does not.
func (v *visit) ended() error {
	for {
		if _, err := v.next(); hungUp(err) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
