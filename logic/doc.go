// Package logic decides. It takes messages from every source, keeps what is
// known of each client, and answers with effects; it does no I/O, reads no
// clock and draws no randomness of its own: time comes as ticks, randomness in
// results of the auth pool. So a whole scenario can be replayed by a script
// (testdata).
//
//	clients ─┐                        ┌─▶ Outbox  (replies, frames, closes)
//	storage ─┤                        │
//	auth    ─┼─▶ Inbox ─▶ Loop ─▶ Core ┼─▶ Store   (reads, writes)
//	clock   ─┤                        │
//	command ─┘                        └─▶ Prover  (keys, proofs)
//
// Core is a plain machine, unsafe for concurrent use; Loop runs it, one round at
// a time: it drains the Inbox and submits what a round has gathered.
//
// A session is always in one state:
//
//	Connected ─logon challenge─▶ LookingUp ─account or none─▶ Proving
//	    │                                                       │ proof
//	    │ reconnect challenge                                   ▼
//	    └─▶ Reproving ─────────── right ───────┐            Verifying
//	            │ wrong                        ▼       right │   │ wrong
//	            └──────▶ Leaving ◀─────┐   Choosing ◀───(Recording)
//	                        ▲          └── drain, kick      │
//	                        └───────────── refused ─────────┘
//
// States hold no data, the session does; become is the one way from one to
// another. The opcode table (opcodes.go) says which message is valid in which
// state before any state sees it.
//
// To add a rule about who may log in, write a filter and put it into the list
// in filters.go; to act on what has happened, write a slot and put it into the
// list in slots.go. Neither touches a state.
package logic
