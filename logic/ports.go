package logic

import (
	"gatepass/auth"
	"gatepass/codec"
	"gatepass/storage"
)

// Outbox is the way to the clients. All of it is called on the logic goroutine
// only. What is sent reaches the sockets after Flush, in order for each
// connection. False means there was no room: the connection is then owed a
// Close.
type Outbox interface {
	// Send queues a reply; *r is copied.
	Send(conn codec.Conn, r *codec.Reply) bool
	// SendLast queues a reply and closes the connection behind it.
	SendLast(conn codec.Conn, r *codec.Reply) bool
	// SendFrame queues bytes that are encoded already and never change again.
	SendFrame(conn codec.Conn, frame []byte) bool
	// Close closes a connection behind everything queued for it.
	Close(conn codec.Conn, reason codec.CloseReason) bool
	// Flush hands over what was queued.
	Flush()
}

// Store takes storage requests; see storage.Store. Results come to the Inbox.
type Store interface {
	Submit(ops []storage.Op) int
}

// Prover takes jobs for the auth pool; see auth.Pool. Results come to the
// Inbox.
type Prover interface {
	Submit(jobs []auth.Job) int
}

// WorldList gives the list of worlds as clients of a build are sent it.
type WorldList interface {
	// Frame's bytes are shared and never change.
	Frame(build uint16) ([]byte, error)
}
