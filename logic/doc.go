// Package logic decides. It takes messages from every source, keeps what is
// known of each client, and answers with effects; it does no I/O, reads no
// clock and draws no randomness of its own: time comes as ticks, randomness in
// results of the auth pool. So a whole scenario can be replayed by a script
// (testdata).
//
//	clients ─┐                        ┌─▶ Outbox  (replies, frames, closes)
//	storage ─┤                        │
//	auth    ─┼─▶ Inbox ─▶ Loop ─▶ Core ┼─▶ Store   (reads, writes)
//	clock   ─┤                        ├─▶ Prover  (keys, proofs)
//	region  ─┤                        └─▶ Bus     (moves, announcements)
//	command ─┘
//
// Core is a plain machine, unsafe for concurrent use; Loop runs it, one round at
// a time: it drains the Inbox and submits what a round has gathered.
//
// A session is always in one state:
//
//	Connected ─challenge─▶ LookingUp ─account or none─▶ Proving (by password)
//	                           │                           │ proof
//	         by an earlier key │                           ▼
//	                           ▼                       Verifying
//	                       Reproving ─── right ──┐         │ right
//	       the key is not here │                 ▼         ▼
//	       or the proof wrong  ▼             Choosing ◀─(Recording)
//	                      Reclaiming ─ came ─────┘
//	                           │ time over
//	a client that is too old, in the place of Choosing ─▶ Updating ─ has its file ─▶ gone
//	any ─ refused, kicked, drained ─▶ Leaving
//
// A client of the native protocol goes through the same states and some of its own,
// drawn in native.go: Confirming, Rotating, HandingOff, InWorld.
//
// Session keys live in worlds.Passes (keyring.go) and move: to a world whose gate
// claims one, and back to the login server at which the player shows up
// (state_reproving.go, region.go).
//
// States hold no data, the session does; become is the one way from one to
// another. The opcode table (opcodes.go) says which message is valid in which
// state before any state sees it.
//
// To add a rule about who may log in, write a filter and put it into the list
// in filters.go; to act on what has happened, write a slot and put it into the
// list in slots.go. Neither touches a state.
package logic
