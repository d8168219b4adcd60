// Package logic decides. It takes inputs from every source, keeps what is known of each
// client, and answers with effects. It does no I/O, reads no clock and draws no randomness
// of its own: time comes as ticks, randomness in results of the auth pool. So scripts can
// replay whole scenarios (testdata).
//
//	clients ─┐                        ┌─▶ Outbox  (replies, frames, closes)
//	storage ─┤                        │
//	auth    ─┼─▶ Inbox ─▶ Loop ─▶ Core ┼─▶ Store   (reads, writes)
//	clock   ─┤                        ├─▶ Prover  (keys, proofs)
//	region  ─┤                        └─▶ Bus     (moves, announcements)
//	command ─┘
//
// Core is a plain machine, unsafe for concurrent use. Loop runs it, one round at a time: it
// drains the Inbox, gives each Input to Core.Step, and submits what the round has gathered.
//
// # States
//
// A session is always in one state:
//
//	Connected ─hello─▶ LookingUp ─account or none─▶ Proving (by password)
//	                           │                           │ proof
//	         by an earlier key │                           ▼
//	                           ▼                       Verifying
//	                       Reproving ─── right ──┐         │ right
//	       the key is not here │                 ▼         ▼
//	       or the proof wrong  ▼             Choosing ◀─(Recording)
//	                      Reclaiming ─ came ─────┘
//	                           │ time over
//	a client that is too old, instead of Choosing ─▶ Updating ─ has its file ─▶ gone
//	any ─ ended ─▶ Leaving
//
// A client of the native protocol goes through the same states and some of its own,
// drawn in native.go: Confirming, Rotating, HandingOff, InWorld.
//
// States hold no data, the session does. become is the one way from one to another, and
// end the one way out: the table endings says what follows from each reason. An input goes
// to Step of the session's state. The opcode table (state.go) says which message is valid
// in which state before a state sees it. What differs between the two protocols is in the
// two dialects.
//
// # Parts
//
// Everything that is not about the state of one session is in a part with data of its own:
// keyring (session keys, which live in worlds.Passes), claims (keys that clients come back
// for), selection (passes for worlds), directory (what the region is told), region (what
// the region tells), push (lists sent unasked), updates (the queue for files), timers,
// rules, signals, bans, factors, removals, decoys, returns, keyPool, effects, operator. A
// part uses another by its methods, and sessions by the few functions of its desk.
//
// # To change it
//
// To add a rule about who may log in, write it as a function of an Attempt and put it into
// the list of rulebook.go, or into Options.Rules. To act on what has happened, write a slot
// and put it into the list in signal.go. Neither touches a state. To end sessions for a new
// reason, add the reason and its line in ending.go.
package logic
