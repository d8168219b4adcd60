// Package gate is the entry point of a world; a game embeds it. It accepts existing
// clients on one port and fetches their keys from the node that the directory names. It
// accepts native clients, who bring a pass, on another port. It admits as many clients
// as there is room for and queues the others.
//
//	g, err := gate.Open(ctx, gate.Options{
//		World: registration, Addr: ":8085", NativeAddr: ":8086", Bus: bus, Handler: game, Logger: log})
//	...
//	g.Drain(ctx)
//	g.Close()
//
// Without its own Handler a world is an empty character screen.
//
//	clients ─┐                         ┌─▶ server  (replies, closes)
//	bus ─────┤                         │
//	clock ───┼─▶ inbox ─▶ loop ─▶ core ┼─▶ bus     (moves, announcements)
//	players ─┤                         │
//	command ─┘                         └─▶ Handler (the game)
//
// The core is a state machine that one goroutine, the logic goroutine, runs. It does no
// I/O and reads no clock; it receives random bytes. Whole scenarios can therefore be
// scripts (testdata). A connection is always in one state:
//
//	Connected ─auth─▶ Locating ─place─▶ Claiming ─taken─┬─ room ──▶ Inside
//	    │ │            ▲    │              │ busy       │              ▲ next
//	    │ │            └─── Pausing ◀──────┘            └─ full ─▶ Waiting
//	    │ └─ key is here, digest right ─────────────────▶ (room or full)
//	    │ └─ pass is here, proof right ─▶ accepted ────▶ (room or full)
//	    └─ refused ─▶ (Refusing) ─▶ Leaving ◀─ closed, ended, replaced, drained
//
// The key of an account is never copied; it moves (worlds.Passes). The gate holds it
// from the claim until a login server claims it back, the reconnect grace is over, or
// the directory ends it. Then the key is wiped.
//
// A native client needs no claim: its login server offers a pass to the gate before it
// sends the client there (docs/native-protocol.md).
//
//	client                          gate
//	   │ ◀─── challenge: nonce ───── │   pass, with its key, from the login server
//	   │ ──── hello: pass, proof ──▶ │   the proof fits: the pass is used up
//	   │ ◀─── accepted: proof ────── │   the gate has the key too; all is sealed now
//	   │ ◀─── place, place, entered  │ ─▶ the login server is told the same
//
// Decisions and their reasons:
//
//   - The holder checks a client's digest before it gives up the key. The gate checks
//     it again with the key. Neither has to trust the other.
//   - A client with a wrong name, key or proof gets one code (0D) at a constant time
//     after its proof (Options.RefusalDelay), whether the account has no key, a key
//     elsewhere or another key. Nothing is encrypted until the key is known, not even
//     refusals.
//   - If a client's proof does not match, the gate looks for its key once more, half a
//     second later: the directory may not have known the key of the newest login. No
//     client is refused because it is quick.
//   - The first reply to a client in the queue has the long form and updates have the
//     short form. A client that leaves the queue gets a bare 0C, as deployed servers
//     send it. (quirk 67)
//   - The classes of the queue share the free places by weight (line).
//   - A key belongs to the account and not to a connection. A client that comes back
//     within the grace needs no login server. A second connection with the same key
//     replaces the first or is refused (Options.SecondLogin).
//   - The key of a used pass is the account's key here while its client stays in the
//     world or in the queue. The directory can therefore find it, and a later login
//     ends the stay. The key is wiped with the connection: a client that comes back
//     brings a new pass. It never matches a proof of the other protocol, because its
//     size differs, and it never moves.
//   - Every fault of a pass gives the same answer at the same constant time. The gate
//     does the same computation for a pass that nobody has offered.
//   - Of two logins of an account, the pass of the later one wins, even before the
//     directory's message. Options.SecondLogin is for one login that comes twice.
//   - A native client that is silent for Options.IdleLimit is disconnected, in the
//     queue too, because its protocol has pings there. All clients except the silent
//     ones get the reason.
//   - The handler runs on the logic goroutine, so that a game without other goroutines
//     needs no locks. The reactors never run it.
//
// In comments, "logic" means the logic goroutine and "anywhere" means any goroutine.
package gate
