// Package bus carries what worlds, managers, login servers and DNS servers tell
// each other, over NATS. It knows subjects, payloads, credentials and the lease
// of the leading manager; what the messages mean is decided in package worlds,
// whose cores (Manager, Directory, Passes) know no bus.
//
//	login server, world:     Connect ─▶ Conn.Node ─▶ Submit(effects) / Deliver(event)
//	world:                              Conn.Register ─▶ registers, beats
//	login server:                       Conn.BeatLogin
//	manager:                            RunManager: lease ─▶ worlds.Manager, worlds.Directory
//	DNS:                                Conn.WatchLogins
//	admin:                              Conn.Worlds, Conn.Logins, Conn.Reset
//
// A Conn may be used from any goroutine. Node.Submit belongs to the logic
// goroutine: it never blocks, for it only copies into a bounded queue that a
// goroutine of the node sends from. Events are delivered one at a time, in the
// order in which the bus brought them; counts of characters wait for all others.
//
// The bus is a place of datagrams: messages may be lost, and are doubled or
// reordered by whoever repeats them. Nothing here repeats a move; that is the
// business of worlds.Passes. docs/bus.md shows every subject and payload with
// an example and says what is guaranteed; a test reads it.
package bus
