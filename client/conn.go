package client

import "context"

// MaxBody is the longest body of a packet to a world, in bytes, as the contract has it.
const MaxBody = 16 << 10

// Packet is one message of the game.
type Packet struct {
	Opcode uint16
	// Body belongs to the receiver.
	Body []byte
}

// Conn is a connection to a world that the player is in. It pings by itself.
type Conn struct{}

// World is the world's id.
func (c *Conn) World() uint8 { return 0 }

// Send sends one packet; body may be used again when it returns. It waits at most
// Options.Timeout for the network and breaks the connection then. A body above
// MaxBody is refused, and nothing else happens.
func (c *Conn) Send(opcode uint16, body []byte) error { return ErrClosed }

// Receive waits for the next packet. When the connection has ended it returns what
// came before, then why: a *RefusedError when the world has sent the player away.
func (c *Conn) Receive(ctx context.Context) (Packet, error) { return Packet{}, ErrClosed }

// Done is closed when the connection has ended.
func (c *Conn) Done() <-chan struct{} { return nil }

// Err says why it has ended, nil while it has not.
func (c *Conn) Err() error { return nil }

// Close ends the connection and returns when its goroutines have. It may be called
// more than once.
func (c *Conn) Close() error { return nil }
