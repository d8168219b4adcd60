package gate

import (
	"gatepass/codec"
	"gatepass/worlds"
)

// outbox is the way to the clients; see server.SendQueue. False means there was
// no room: the connection is then owed a Close.
type outbox interface {
	// Send queues a reply; *r is copied, what it points to is not.
	Send(conn codec.Conn, r *codec.Reply) bool
	// SendLast queues a reply and closes the connection behind it.
	SendLast(conn codec.Conn, r *codec.Reply) bool
	// Close closes a connection behind everything queued for it.
	Close(conn codec.Conn, reason codec.CloseReason) bool
	// Flush hands over what was queued.
	Flush()
}

// region is the way to the bus; see bus.Node. Effects are copied, and may get
// lost.
type region interface {
	Submit(effects []worlds.Effect)
}

// ports are what the core acts on.
type ports struct {
	out    outbox
	region region
	// random fills b with random bytes.
	random func(b []byte)
	// drained is called once, when the gate drains and nobody is inside any more.
	drained func()
	// door is given to players.
	door *door
}
