// Package gate is the door of a world, for a game to embed: it takes existing clients
// in on one port and gets their keys from wherever the directory says they are,
// takes native clients in on another, who come with a pass, lets in as many as there
// is room for and has the others wait in line.
//
//	g, err := gate.Open(ctx, gate.Options{
//		World: registration, Addr: ":8085", NativeAddr: ":8086", Bus: bus, Handler: game, Logger: log})
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
//	    │ └─ pass is here, proof right ─▶ accepted ────▶ (room or full)
//	    └─ refused ─▶ (Refusing) ─▶ Leaving ◀─ closed, ended, replaced, drained
//
// The key of an account is never copied, it moves (worlds.Passes): the gate holds
// it from the claim until a login server claims it back, the reconnect grace is
// over, or the directory ends it; then it is wiped.
//
// A native client needs no claim: its login server has offered a pass before it was
// told to go (docs/native-protocol.md).
//
//	client                          gate
//	   │ ◀─── challenge: nonce ───── │   pass, with its key, from the login server
//	   │ ──── hello: pass, proof ──▶ │   the proof fits: the pass is used up
//	   │ ◀─── accepted: proof ────── │   the gate has the key too; all is sealed now
//	   │ ◀─── place, place, entered  │ ─▶ the login server is told the same
//
// What was decided, and why:
//
//   - The holder checks a client's digest before it lets go of the key, the gate
//     checks it again with the key: neither has to believe the other.
//   - Whoever is not who it says is told one code (0D), at one time after its proof
//     (Options.RefusalDelay), whether the account has no key, a key elsewhere or
//     another key. Until the key is known nothing is encrypted, refusals included.
//   - A client whose proof did not fit is looked for once more, half a second
//     later: the key of a login just made may be younger than what the directory
//     knew. No client is refused for being quick.
//   - The first word to a client in line is the long form, updates are short, and
//     whoever leaves the line gets a bare 0C, as deployed servers do it. (quirk 67)
//   - Between classes of the line the free places are shared by weight (line).
//   - A key belongs to the account and not to a connection: a client that comes
//     back within the grace needs no login server, and a second connection with
//     the same key replaces the first or is refused (Options.SecondLogin).
//   - The key of a used pass is the account's key here as long as its client stays, in
//     the world or in line, so that the directory finds it and a later login ends the
//     stay. It outlives no connection: who comes back comes with a new pass. It fits
//     no proof of the other protocol, being of another size, and moves nowhere.
//   - Whatever is wrong with a pass is one answer at one time, like the above, and
//     the same is computed for a pass that nobody has offered.
//   - Of two logins of an account the later one's pass wins, even before the
//     directory's word; Options.SecondLogin is about one login that comes twice.
//   - A native client that is silent for Options.IdleLimit goes, in line too: that it
//     can ping there is part of its protocol. All but the silent are told why.
//   - The handler runs on the logic goroutine, so that a game that needs no other
//     has no locks; the reactors never run it.
//
// Words in the comments: "logic" is the logic's goroutine, "anywhere" any.
package gate
