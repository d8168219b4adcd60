// Package queue is the sharded, lock-swapped queue that passes work between the goroutines of
// gatepass: clients' messages and results to the logic (logic.Inbox), replies to the sender
// (server), batches to a reactor.
//
//	producer A ─ append ─▶ [ shard A ] ─┐
//	producer B ─ append ─▶ [ shard B ] ─┼─ swap ─▶ consumer
//	producer C ─ append ─▶ [ shard C ] ─┘
//
// A producer locks only its own shard, and only to append. The consumer locks a shard only to
// swap the filled slice for an empty one. No goroutine therefore does work under a lock. In
// steady state nothing is allocated: each shard alternates between two slices.
//
// One word of bits says which shards have work and whether the consumer sleeps. A producer
// writes the word only when its shard was empty. The goroutine that clears the consumer's
// sleep bit wakes the consumer once, or runs it itself (see Consumer).
//
// Rejected: a channel for each producer and select (a lock and a possible wake-up for each
// message), one shared slice (producers wait for each other), a lock-free list (an allocation
// for each message).
//
// Loop runs the state machines that take their work from shards: the logic of a login server
// and the logic of a world's gate. It handles one item at a time and recovers its panics, so
// that a bug that a client can reach costs only that client's connection.
//
// Every shard is bounded. Push refuses at the limit; PushNew refuses earlier, for work that
// may be refused without harm. The producer defines what a refusal means. The package does not
// depend on the type of its items and imports no other package of gatepass.
package queue
