package server

import (
	"github.com/panjf2000/gnet/v2"

	"gatepass/codec"
)

// clientConn is one connection. All its fields belong to its reactor.
type clientConn struct {
	handle codec.Conn
	sock   gnet.Conn
	codec  Session
	// reason is why the connection is being closed, for the KindClosed message. ClosePeer
	// means that nothing has closed it yet.
	reason codec.CloseReason
	// seals says that the codec is a Sealer.
	seals bool
	// stalled is set while one of its messages waits for room in the sink.
	stalled bool
	// carried is set once a file was started.
	carried bool
	// batch is the index of this connection's first piece in the batch that is being written,
	// or -1.
	batch int32
	// stream is the file that is being sent to it, or nil.
	stream *stream
}

// tableChunk is how many slots are allocated together. Pointers into a chunk stay valid while
// the table grows.
const tableChunk = 256

// connTable maps handles to connections. It belongs to its reactor.
//
// Invariant: a slot's generation increases each time the slot is taken, so each handle is used
// once.
type connTable struct {
	reactor     int
	chunks      []*[tableChunk]clientConn
	generations []uint32
	free        []int32
	live        int
}

// open returns a free slot, set up for a connection.
func (t *connTable) open(sock gnet.Conn, session Session) *clientConn {
	if len(t.free) == 0 {
		t.grow()
	}
	slot := int(t.free[len(t.free)-1])
	t.free = t.free[:len(t.free)-1]
	t.generations[slot]++
	if t.generations[slot] == 0 {
		t.generations[slot] = 1 // generation 0 names no connection
	}
	c := t.at(slot)
	_, seals := session.(Sealer)
	*c = clientConn{
		handle: codec.NewConn(t.reactor, slot, t.generations[slot]),
		sock:   sock,
		codec:  session,
		seals:  seals,
		batch:  -1,
	}
	t.live++
	return c
}

// close frees the slot. The connection must not be used after that.
func (t *connTable) close(c *clientConn) {
	slot := c.handle.Slot()
	*c = clientConn{batch: -1}
	t.free = append(t.free, int32(slot))
	t.live--
}

// get returns the connection of a handle, or nil when it is gone.
func (t *connTable) get(h codec.Conn) *clientConn {
	slot := h.Slot()
	if h == 0 || slot >= len(t.generations) {
		return nil // free slots have the zero handle
	}
	if c := t.at(slot); c.handle == h {
		return c
	}
	return nil
}

func (t *connTable) at(slot int) *clientConn {
	return &t.chunks[slot/tableChunk][slot%tableChunk]
}

func (t *connTable) grow() {
	first := len(t.generations)
	t.chunks = append(t.chunks, new([tableChunk]clientConn))
	t.generations = append(t.generations, make([]uint32, tableChunk)...)
	for slot := first + tableChunk - 1; slot >= first; slot-- {
		t.free = append(t.free, int32(slot))
	}
}
