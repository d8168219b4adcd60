package codec

import "fmt"

// Conn is the handle of one client connection. Code outside a reactor uses only this handle to
// name a connection.
//
//	 63 62      56 55            32 31             0
//	┌───┬─────────┬────────────────┬────────────────┐
//	│ 0 │ reactor │      slot      │   generation   │
//	└───┴─────────┴────────────────┴────────────────┘
//
// The top bit is always 0. A caller that stores handles among other tags may use it.
//
// A slot is used again after its connection closed. A pair of slot and generation is not used
// again until the generation, a u32, wraps around. So a reactor can tell a late reply to a
// closed connection from one to a new connection with the same slot or file descriptor.
type Conn uint64

const (
	// MaxReactors is the number of reactors that a handle can name.
	MaxReactors = 1 << 7
	// MaxSlots is the number of connections of one reactor that a handle can name.
	MaxSlots = 1 << 24
)

// NewConn returns a handle. It panics if reactor or slot is out of range; the tables that
// assign them have much lower limits.
func NewConn(reactor, slot int, generation uint32) Conn {
	if reactor < 0 || reactor >= MaxReactors || slot < 0 || slot >= MaxSlots {
		panic("codec: reactor or slot does not fit a handle")
	}
	return Conn(reactor)<<56 | Conn(slot)<<32 | Conn(generation)
}

// Reactor returns the index of the reactor that owns the connection.
func (c Conn) Reactor() int { return int(c >> 56) }

// Slot returns the connection's index in its reactor's table.
func (c Conn) Slot() int { return int(c>>32) & (MaxSlots - 1) }

// Generation distinguishes the connections that use one slot in turn. It is never 0 for a real
// connection, so the zero Conn names no connection.
func (c Conn) Generation() uint32 { return uint32(c) }

// String returns reactor/slot#generation, for logs.
func (c Conn) String() string {
	return fmt.Sprintf("%d/%d#%d", c.Reactor(), c.Slot(), c.Generation())
}
