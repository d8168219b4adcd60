package client

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"gatepass/codec/native"
	pb "gatepass/codec/native/gatepasspb"
)

const (
	// MaxBody is the longest body of a packet to a world, in bytes. The protocol sets it.
	MaxBody = native.MaxPacket
	// packetQueue is how many packets wait for Receive. Further packets wait in the network,
	// until the world closes the connection.
	packetQueue = 64
)

// Packet is one message of the game.
type Packet struct {
	Opcode uint16
	// Body belongs to the receiver.
	Body []byte
}

// Conn is the connection to the world that the player is in. It sends pings by itself.
type Conn struct {
	// Static.
	link    *link
	world   uint8
	ping    time.Duration
	queued  func(position int)
	inside  chan struct{} // closed when the player is in
	packets chan Packet
	over    chan struct{} // closed with the first reason to end
	done    chan struct{} // closed when the goroutines have ended

	sending sync.Mutex // guards link's sending half
	pings   uint64

	ending sync.Once
	err    error // set before over is closed
}

func newConn(l *link, pass *Pass, queued func(int)) *Conn {
	return &Conn{
		link: l, world: pass.World, ping: pass.ping, queued: queued,
		inside: make(chan struct{}), packets: make(chan Packet, packetQueue),
		over: make(chan struct{}), done: make(chan struct{}),
	}
}

// start starts the connection's goroutines. gone is called after both have ended.
func (c *Conn) start(gone func()) {
	read := make(chan struct{})
	go func() {
		defer close(read)
		c.read()
	}()
	go func() {
		defer close(c.done)
		defer gone()
		c.pinging()
		<-read
	}()
}

// end stores the first reason and ends all waiting calls.
func (c *Conn) end(reason error) {
	c.ending.Do(func() {
		c.err = reason
		close(c.over)
		c.link.close()
	})
}

func (c *Conn) read() {
	for {
		var f pb.GateServerFrame
		err := c.link.patience(c.ping)
		if err == nil {
			err = hearGate(c.link, &f)
		}
		if err == nil {
			err = c.take(&f)
		}
		if err != nil {
			c.end(err)
			return
		}
	}
}

func (c *Conn) take(f *pb.GateServerFrame) error {
	switch m := f.GetBody().(type) {
	case *pb.GateServerFrame_Pong: // its arrival extends the read limit
		return nil
	case *pb.GateServerFrame_QueuePosition:
		if !c.entered() {
			c.queued(int(m.QueuePosition.GetPosition()))
			return nil
		}
	case *pb.GateServerFrame_Entered:
		if !c.entered() && m.Entered.GetWorld() == uint32(c.world) {
			close(c.inside)
			return nil
		}
	case *pb.GateServerFrame_Packet:
		if c.entered() && m.Packet.GetOpcode() <= math.MaxUint16 {
			return c.hand(Packet{uint16(m.Packet.GetOpcode()), m.Packet.GetBody()})
		}
	}
	return fmt.Errorf("%w: a message that does not come here", ErrProtocol)
}

func (c *Conn) entered() bool {
	select {
	case <-c.inside:
		return true
	default:
		return false
	}
}

// hand queues a packet for Receive. It waits until there is room.
func (c *Conn) hand(p Packet) error {
	select {
	case c.packets <- p:
		return nil
	case <-c.over:
		return c.err
	}
}

func (c *Conn) pinging() {
	ticker := time.NewTicker(c.ping)
	defer ticker.Stop()
	for {
		select {
		case <-c.over:
			return
		case <-ticker.C:
			c.pings++
			_ = c.say(&pb.GateClientFrame{Body: &pb.GateClientFrame_Ping{Ping: &pb.Ping{Number: c.pings}}})
		}
	}
}

// say sends one message. An error ends the connection.
func (c *Conn) say(m *pb.GateClientFrame) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	select {
	case <-c.over:
		return c.err
	default:
	}
	err := c.link.send(m)
	if err != nil {
		c.end(err)
	}
	return err
}

// admitted waits for the end of the queue.
func (c *Conn) admitted(ctx context.Context) error {
	select {
	case <-c.inside:
		return nil
	case <-c.over:
		return c.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// World returns the world's id.
func (c *Conn) World() uint8 { return c.world }

// Send sends one packet. The caller may reuse body afterwards. If the network does not take
// the packet within Options.Timeout, the connection ends. A body longer than MaxBody returns
// ErrBody and has no other effect.
func (c *Conn) Send(opcode uint16, body []byte) error {
	if len(body) > MaxBody {
		return ErrBody
	}
	m := &pb.GamePacket{Opcode: uint32(opcode), Body: body}
	return c.say(&pb.GateClientFrame{Body: &pb.GateClientFrame_Packet{Packet: m}})
}

// Receive returns the next packet. After the end of the connection it returns the packets
// received before, and then the reason: a *RefusedError if the world has removed the
// player.
func (c *Conn) Receive(ctx context.Context) (Packet, error) {
	select {
	case p := <-c.packets:
		return p, nil
	default:
	}
	select {
	case p := <-c.packets:
		return p, nil
	case <-ctx.Done():
		return Packet{}, context.Cause(ctx)
	case <-c.done:
	}
	select {
	case p := <-c.packets: // queued just before the end
		return p, nil
	default:
		return Packet{}, c.err
	}
}

// Done is closed when the connection has ended.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err returns the reason of the end; nil before the end.
func (c *Conn) Err() error {
	select {
	case <-c.done:
		return c.err
	default:
		return nil
	}
}

// Close ends the connection and returns when its goroutines have ended. Further calls do
// nothing.
func (c *Conn) Close() error {
	c.end(ErrClosed)
	<-c.done
	return nil
}
