package logic

import (
	"gatepass/auth"
	"gatepass/codec"
	"gatepass/patches"
	"gatepass/storage"
	"gatepass/worlds"
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
	// StartTransfer begins to send a file; *t is never changed afterwards. How it ends
	// comes as codec.KindTransferEnded.
	StartTransfer(conn codec.Conn, t *codec.Transfer) bool
	// SendFrame queues bytes that are encoded already and never change again.
	SendFrame(conn codec.Conn, frame []byte) bool
	// Broadcast queues such bytes once for many; targets is not to be changed
	// afterwards.
	Broadcast(targets []codec.Conn, frame []byte) bool
	// Close closes a connection behind everything queued for it.
	Close(conn codec.Conn, reason codec.CloseReason) bool
	// Flush hands over what was queued.
	Flush()
}

// Versions says what is to become of a client by what it runs; see patches.Set.
type Versions interface {
	Judge(c patches.Client) patches.Verdict
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

// WorldList gives the list of worlds as a client is sent it; see worlds.List.
type WorldList interface {
	// FrameFor's bytes never change; those who see the same share them.
	FrameFor(ask worlds.Ask) ([]byte, error)
	// Publish makes what is listed now the next version for native clients, if it
	// differs from the last one.
	Publish(stale bool) (changed bool)
	// Version is the last one published.
	Version() uint64
	// NativeSnapshot and NativeDelta are the last version, whole and as a change of
	// the one before; their bytes never change.
	NativeSnapshot(ask worlds.Ask) ([]byte, error)
	NativeDelta(ask worlds.Ask) ([]byte, error)
	// NativeFind is a world as it is now.
	NativeFind(id uint8, ask worlds.Ask) (worlds.NativeWorld, bool)
	// Alternatives are worlds that would take the client, the emptiest first.
	Alternatives(ask worlds.Ask, except uint8) []uint8
}

// Region is this server's copy of the region's worlds; see worlds.Member. Times
// are those of the ticks.
type Region interface {
	Change(c *worlds.Change, now int64) worlds.MemberNeeds
	Snapshot(s *worlds.Snapshot, now int64) worlds.MemberNeeds
	Pulse(p *worlds.Pulse, now int64) worlds.MemberNeeds
	Tick(now int64) worlds.MemberNeeds
	// Stale tells whether the manager has not been heard of for a while.
	Stale() bool
}

// Bus takes what is for others of the region. What comes from there comes to the
// Inbox.
type Bus interface {
	// Submit never blocks and keeps nothing of effects. Like datagrams, they may
	// get lost.
	Submit(effects []worlds.Effect)
}
