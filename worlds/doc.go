// Package worlds is the region behind the login servers: which game worlds there
// are and how they are, and the way of a player's key to the world that the
// player picked. It holds the deciding cores only. None of them does I/O, reads a
// clock or starts a goroutine; each belongs to the one goroutine of its process
// that hands in what came and the time, and does what comes out. The bus that
// carries it all is in worlds/bus, the gate of a world in worlds/gate.
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
// A world registers and then beats. The Manager that leads keeps them all: one
// that falls silent is offline and not forgotten, until a maintenance Reset. Every
// change has a Version, in the order of which each login server's Member applies
// it; a gap, a pulse that tells of more, or a new leader make it ask for a
// Snapshot. A leader that was replaced has a smaller epoch, and nobody listens to
// it. What a leader needs of the one before it, it stores as Records before it
// tells of them.
//
//	for _, w := range manager.Writes() { … } // store, and only then
//	for _, c := range manager.Changes() { … } // tell
//
// The List is what clients see of a Member's copy, and of the worlds in the
// configuration, which cannot register. It makes one encoding for all who see the
// same: those of one build whose addresses are in the same networks of the
// worlds' Routes. Only an account with characters has bytes of its own.
//
//	list := worlds.NewList(worlds.EncodeGrunt)
//	err := list.SetStatic(configured)
//	member := worlds.NewMember(list, worlds.MemberOptions{})
//	needs := member.Change(change, now) // and Snapshot, Pulse, Tick
//	frame, err := list.FrameFor(worlds.Ask{Build: 12340, Peer: peer})
//
// # The pass
//
// A key is accepted at one node at most. Passes is the machine that each node has
// for it: a login server offers a key to a world or a gate claims it, and in steps
// that may be repeated it is gone from the one before it is good at the other. A
// gate asks the Directory which node holds an account's key. That is soft state:
// nodes announce each key that comes or goes, and all of theirs to a new leader,
// so a manager's end loses nothing. The Directory also sees the second login of an
// account, and has the one that must go ended.
package worlds
