package gate_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"gatepass/auth/keyschedule"
	"gatepass/codec/native"
	"gatepass/codec/native/gatepasspb"
)

// nativeClient is a native game client at a gate, built only from the public protocol.
type nativeClient struct {
	conn      net.Conn
	said      native.Transcript
	handshake keyschedule.Knock
	in, out   native.Direction
	sealed    bool
	hello     []byte // the sent GateHello, with its length
}

// dialNative connects and reads the challenge.
func dialNative(addr netip.AddrPort) (*nativeClient, error) {
	conn, err := net.Dial("tcp", addr.String())
	if err != nil {
		return nil, err
	}
	c := &nativeClient{conn: conn, said: native.NewTranscript(true)}
	frame, err := c.read()
	if err != nil || frame.GetChallenge() == nil {
		return nil, errors.Join(fmt.Errorf("%v is no challenge", frame), err, conn.Close())
	}
	c.handshake.World = uint8(frame.GetChallenge().World)
	c.handshake.Nonces = keyschedule.Nonces{Client: [32]byte{1, 2, 3}, Server: [32]byte(frame.GetChallenge().Nonce)}
	return c, nil
}

func mustDialNative(tb testing.TB, addr netip.AddrPort) *nativeClient {
	tb.Helper()
	c, err := dialNative(addr)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.close)
	return c
}

func (c *nativeClient) close() { _ = c.conn.Close() }

// read waits for one frame.
func (c *nativeClient) read() (*gatepasspb.GateServerFrame, error) {
	_ = c.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	frame := make([]byte, native.HeaderSize, 128)
	if _, err := io.ReadFull(c.conn, frame); err != nil {
		return nil, err
	}
	frame = append(frame, make([]byte, binary.LittleEndian.Uint32(frame))...)
	if _, err := io.ReadFull(c.conn, frame[native.HeaderSize:]); err != nil {
		return nil, err
	}
	body, m := frame[native.HeaderSize:], new(gatepasspb.GateServerFrame)
	if c.sealed {
		var err error
		if body, err = c.in.Open(frame); err != nil {
			return nil, err
		}
	}
	if err := proto.Unmarshal(body, m); err != nil {
		return nil, err
	}
	if m.GetChallenge() != nil {
		c.said.Add(body)
	}
	return m, nil
}

// show sends the GateHello with a proof by key. It then sends more, sealed with the
// keys that follow from the proof.
func (c *nativeClient) show(pass [16]byte, key [32]byte, more ...*gatepasspb.GateClientFrame) error {
	c.handshake.Pass = pass
	proof := c.handshake.ClientProof(&key)
	body, err := proto.Marshal(&gatepasspb.GateClientFrame{Body: &gatepasspb.GateClientFrame_Hello{Hello: &gatepasspb.GateHello{
		Version: 1, Pass: pass[:], Nonce: c.handshake.Nonces.Client[:], Proof: proof[:], Build: 100,
	}}})
	if err != nil {
		return err
	}
	c.said.Add(body)
	c.hello = append(binary.LittleEndian.AppendUint32(nil, uint32(len(body))), body...)
	toServer, toClient := c.handshake.Channel(&key, (*[32]byte)(&c.said))
	c.out, c.in = native.NewDirection(&toServer), native.NewDirection(&toClient)
	b := c.hello
	for _, m := range more {
		body, err := proto.Marshal(m)
		if err != nil {
			return err
		}
		b = c.out.Seal(b, body)
	}
	_, err = c.conn.Write(b)
	return err
}

// enter shows a pass and checks that the gate has its key too.
func (c *nativeClient) enter(pass [16]byte, key [32]byte, more ...*gatepasspb.GateClientFrame) error {
	if err := c.show(pass, key, more...); err != nil {
		return err
	}
	frame, err := c.read()
	if err != nil {
		return err
	}
	c.sealed = true
	if want := c.handshake.GateProof(&key); [32]byte(frame.GetAccepted().GetProof()) != want {
		return fmt.Errorf("the gate has proven nothing by %v", frame)
	}
	return nil
}

// say sends a sealed frame.
func (c *nativeClient) say(m *gatepasspb.GateClientFrame) error {
	body, err := proto.Marshal(m)
	if err != nil {
		return err
	}
	_, err = c.conn.Write(c.out.Seal(nil, body))
	return err
}

func pingOf(n uint64) *gatepasspb.GateClientFrame {
	return &gatepasspb.GateClientFrame{Body: &gatepasspb.GateClientFrame_Ping{Ping: &gatepasspb.Ping{Number: n}}}
}

func packetOf(opcode uint32, body string) *gatepasspb.GateClientFrame {
	return &gatepasspb.GateClientFrame{Body: &gatepasspb.GateClientFrame_Packet{
		Packet: &gatepasspb.GamePacket{Opcode: opcode, Body: []byte(body)},
	}}
}

func (c *nativeClient) mustEnter(tb testing.TB, p pass, more ...*gatepasspb.GateClientFrame) {
	tb.Helper()
	if err := c.enter(p.id, p.key, more...); err != nil {
		tb.Fatal(err)
	}
}

func (c *nativeClient) mustSay(tb testing.TB, m *gatepasspb.GateClientFrame) {
	tb.Helper()
	if err := c.say(m); err != nil {
		tb.Fatal(err)
	}
}

// mustRead waits for a frame and compares its text.
func (c *nativeClient) mustRead(tb testing.TB, want *gatepasspb.GateServerFrame) {
	tb.Helper()
	got, err := c.read()
	if err != nil || !proto.Equal(got, want) {
		tb.Fatalf("got %v, %v, want %v", got, err, want)
	}
}

func (c *nativeClient) mustBeClosed(tb testing.TB) {
	tb.Helper()
	for {
		if frame, err := c.read(); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || isReset(err) {
				return
			}
			tb.Fatal(frame, err)
		}
	}
}

// Messages of the gate.

func entered(world uint32) *gatepasspb.GateServerFrame {
	return &gatepasspb.GateServerFrame{Body: &gatepasspb.GateServerFrame_Entered{Entered: &gatepasspb.Entered{World: world}}}
}

func position(n uint32) *gatepasspb.GateServerFrame {
	return &gatepasspb.GateServerFrame{Body: &gatepasspb.GateServerFrame_QueuePosition{QueuePosition: &gatepasspb.QueuePosition{Position: n}}}
}

func pong(n uint64) *gatepasspb.GateServerFrame {
	return &gatepasspb.GateServerFrame{Body: &gatepasspb.GateServerFrame_Pong{Pong: &gatepasspb.Pong{Number: n}}}
}

func packet(opcode uint32, body string) *gatepasspb.GateServerFrame {
	return &gatepasspb.GateServerFrame{Body: &gatepasspb.GateServerFrame_Packet{Packet: &gatepasspb.GamePacket{Opcode: opcode, Body: []byte(body)}}}
}

func refused(r gatepasspb.Result) *gatepasspb.GateServerFrame {
	return &gatepasspb.GateServerFrame{Body: &gatepasspb.GateServerFrame_Refused{Refused: &gatepasspb.Refused{Result: r}}}
}

func kicked(r gatepasspb.Result) *gatepasspb.GateServerFrame {
	return &gatepasspb.GateServerFrame{Body: &gatepasspb.GateServerFrame_Kicked{Kicked: &gatepasspb.Kicked{Result: r}}}
}
