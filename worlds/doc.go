// Package worlds is the region behind the login servers: the game worlds with their
// state, and the transfer of a player's key to the world that the player selects. It
// has only the decision logic. The code does no I/O, reads no clock and starts no
// goroutine. Each object belongs to one goroutine of its process, which passes in
// messages and the time and carries out the results. The bus between the processes is
// in worlds/bus, the gate of a world in worlds/gate.
//
//	 world                  manager                      login server
//	┌──────┐ Registration  ┌─────────┐ Change, Pulse    ┌────────┐   ┌──────┐
//	│ gate │──────────────▶│ Manager │─────────────────▶│ Member │──▶│ List │──▶ clients
//	│      │ Beat          │         │ Snapshot (asked) │        │   └──────┘
//	│      │               ├─────────┤                  ├────────┤
//	│Passes│ Announcement  │Directory│     Announcement │ Passes │
//	│      │──────────────▶│         │◀─────────────────│        │
//	└──┬───┘ Locate, Place └─────────┘           Locate └───┬────┘
//	   │                        Move                        │
//	   └────────────────────────────────────────────────────┘
//
// # The list
//
// A world registers and then sends heartbeats. The leading Manager keeps all worlds:
// one that falls silent is offline, but stays in the list until a maintenance Reset.
// Every change has a Version. The Member of each login server applies changes in the
// order of their versions. It asks for a Snapshot after a gap, after a pulse with a
// newer version, and after a change of leader. A leader that was replaced has a smaller
// epoch, and its messages are ignored. A leader stores what its successor needs as
// Records before it sends the change.
//
//	for _, w := range manager.Writes() { … } // store, and only then
//	for _, c := range manager.Changes() { … } // tell
//
// The List is what clients see: the Member's copy, and the worlds of the configuration,
// which cannot register. It makes one encoding for all clients that see the same: those
// of one build whose addresses are in the same networks of the worlds' Routes. Only an
// account with characters gets its own bytes.
//
//	list := worlds.NewList(worlds.EncodeGrunt)
//	err := list.SetStatic(configured)
//	member := worlds.NewMember(list, worlds.MemberOptions{})
//	needs := member.Change(change, now) // and Snapshot, Pulse, Tick
//	frame, err := list.FrameFor(worlds.Ask{Build: 12340, Peer: peer})
//
// # The pass
//
// At most one node accepts a key. Passes is the state machine that each node has for
// this. A login server offers a key to a world, or a gate claims it. In steps that can
// be repeated, the key is removed from the first node before it is valid at the second.
// A gate asks the Directory which node holds an account's key. The Directory is soft
// state: nodes announce each key that arrives or leaves, and all their keys to a new
// leader, so the end of a manager loses nothing. The Directory also detects the second
// login of an account and ends the login that must go.
package worlds
