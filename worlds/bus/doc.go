// Package bus connects worlds, login servers, DNS servers and operators over NATS. What
// the messages mean is decided in package worlds, whose cores (Manager, Directory, Passes)
// know no bus.
//
//	login server, world:     Connect ─▶ Conn.Node ─▶ Submit(effects) / Deliver(event)
//	world:                              Conn.Register ─▶ registers, sends heartbeats
//	login server:                       Conn.BeatLogin
//	DNS server:                         Conn.WatchLogins
//	operator:                           Conn.Worlds, Conn.Logins, Conn.Reset, Conn.Order
//
// Its folders hold the rest, each of which knows those above it only:
//
//	wire/         subjects and payloads
//	credentials/  the authority of a region: keys, permissions, certificates
//	busserver/    the NATS server in this process, and its store
//	lead/         the world manager: lease, leader's term, durable list
//
// A Conn may be used from any goroutine. Node.Submit belongs to one goroutine at a time and
// never blocks: it copies effects into a bounded queue, and a goroutine of the node sends
// them. Events are delivered one at a time, in the order in which they arrive; counts of
// characters and progress wait until no other event does.
//
// Messages may be lost, repeated or reordered. This package does not repeat a move;
// worlds.Passes does.
package bus
