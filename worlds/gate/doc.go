// Package gate is the door of a world, for a game to embed: it takes clients in
// on its own port, gets their keys from wherever the directory says they are,
// lets in as many as there is room for and has the others wait in line.
//
//	g, err := gate.Open(ctx, gate.Options{World: registration, Addr: ":8085", Bus: bus, Handler: game, Logger: log})
//	...
//	g.Drain(ctx)
//	g.Close()
//
// Without a Handler of its own a world is a character screen with nobody on it.
//
//	clients ─┐                         ┌─▶ server  (replies, closes)
//	bus ─────┤                         │
//	clock ───┼─▶ inbox ─▶ loop ─▶ core ┼─▶ bus     (moves, announcements)
//	players ─┤                         │
//	command ─┘                         └─▶ Handler (the game)
//
// The core is a plain machine that one goroutine runs, the logic's: it does no
// I/O and reads no clock, random bytes are handed to it. So whole scenarios are
// scripts (testdata). A connection is always in one state:
//
//	Connected ─auth─▶ Locating ─place─▶ Claiming ─taken─┬─ room ──▶ Inside
//	    │ │            ▲    │              │ busy       │              ▲ next
//	    │ │            └─── Pausing ◀──────┘            └─ full ─▶ Waiting
//	    │ └─ key is here, digest right ─────────────────▶ (room or full)
//	    └─ refused ─▶ (Refusing) ─▶ Leaving ◀─ closed, ended, replaced, drained
//
// The key of an account is never copied, it moves (worlds.Passes): the gate holds
// it from the claim until a login server claims it back, the reconnect grace is
// over, or the directory ends it; then it is wiped.
//
// Words in the comments: "logic" is the logic's goroutine, "anywhere" any.
package gate
