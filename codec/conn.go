package codec

import "fmt"

// Conn is the handle of one client connection, the only name by which anything
// outside a reactor may speak of it.
//
//	 63 62      56 55            32 31             0
//	┌───┬─────────┬────────────────┬────────────────┐
//	│ 0 │ reactor │      slot      │   generation   │
//	└───┴─────────┴────────────────┴────────────────┘
//
// The top bit is free for those who use a handle as a tag among others.
//
// A slot is used again after its connection closed, a pair of slot and
// generation is not (before the generation, a u32, has gone round). A reactor
// therefore tells a late reply to a dead connection from one to the connection
// that now sits in the same slot or has the same file descriptor.
type Conn uint64

const (
	// MaxReactors is how many reactors a handle can tell apart.
	MaxReactors = 1 << 7
	// MaxSlots is how many connections of one reactor a handle can tell apart.
	MaxSlots = 1 << 24
)

// NewConn makes a handle. It panics on a reactor or slot that does not fit: the
// tables that hand them out are bounded well below.
func NewConn(reactor, slot int, generation uint32) Conn {
	if reactor < 0 || reactor >= MaxReactors || slot < 0 || slot >= MaxSlots {
		panic("codec: reactor or slot does not fit a handle")
	}
	return Conn(reactor)<<56 | Conn(slot)<<32 | Conn(generation)
}

// Reactor is the index of the reactor that owns the connection.
func (c Conn) Reactor() int { return int(c >> 56) }

// Slot is the connection's place in its reactor's table.
func (c Conn) Slot() int { return int(c>>32) & (MaxSlots - 1) }

// Generation tells users of one slot apart. It is never 0 for a connection
// that existed, so the zero Conn names none.
func (c Conn) Generation() uint32 { return uint32(c) }

// String is for logs: reactor/slot#generation.
func (c Conn) String() string {
	return fmt.Sprintf("%d/%d#%d", c.Reactor(), c.Slot(), c.Generation())
}
