package gate

import (
	"gatepass/codec"
	"gatepass/worlds"
)

// outbox sends to the clients; see server.SendQueue. A method that returns false found
// no room, and the connection must then be closed.
type outbox interface {
	// Send queues a reply. It copies *r but not what r points to.
	Send(conn codec.Conn, r *codec.Reply) bool
	// SendLast queues a reply and closes the connection after it.
	SendLast(conn codec.Conn, r *codec.Reply) bool
	// Close closes a connection after everything that is queued for it.
	Close(conn codec.Conn, reason codec.CloseReason) bool
	// Flush sends what is queued.
	Flush()
}

// region sends to the bus; see bus.Node. It copies effects. They can be lost.
type region interface {
	Submit(effects []worlds.Effect)
}

// ports are the interfaces through which the core acts.
type ports struct {
	out    outbox
	region region
	// random fills b with random bytes.
	random func(b []byte)
	// drained is called once, when the gate drains and the world is empty.
	drained func()
	// door is passed to players.
	door *door
}
