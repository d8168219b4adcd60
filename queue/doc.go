// Package queue is the sharded, lock-swapped queue by which the goroutines of
// gatepass hand each other work: clients' messages and results to the logic
// (logic.Inbox), replies to the sender (server), batches to a reactor.
//
//	producer A ─ append ─▶ [ shard A ] ─┐
//	producer B ─ append ─▶ [ shard B ] ─┼─ swap ─▶ consumer
//	producer C ─ append ─▶ [ shard C ] ─┘
//
// A producer locks its own shard only to append. The consumer locks a shard
// only to swap the filled slice for an empty one, so nobody ever waits for work
// to be done under a lock, and in steady state nothing is allocated: two slices
// a shard go to and fro.
//
// Which shards have work, and whether the consumer sleeps, is one word of bits.
// A producer touches it only when its shard was empty; whoever finds the
// consumer's sleep bit set wakes it, once, or runs it on the spot (see Consumer). Rejected: a channel a producer and
// select (a lock and a possible wake-up a message), one shared slice (producers
// wait for each other), a lock-free list (an allocation a message).
//
// Loop runs the machines that take everything from shards, the logic of a login server and
// that of a world's gate: one item at a time, each guarded, so that a bug that a client can
// reach costs its connection only.
//
// Every shard is bounded. Push refuses at the limit, and earlier for work that
// may be refused without harm (PushNew); what a refusal means is said by the
// producer. The package knows nothing of what it carries and imports nothing of
// ours.
package queue
