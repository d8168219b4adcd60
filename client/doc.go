// Package client is what a game embeds to sign a player in over the native
// protocol, see the worlds as they are right now, pick one and enter it.
//
//	c, err := client.Dial(ctx, "login.example", client.Options{Build: 1})
//	s, err := c.Login(ctx, client.Credentials{Account: "ana", Password: "…"})
//	defer s.Close()
//	for _, w := range s.Worlds().All() { … }
//	pass, err := s.Select(ctx, 3)
//	conn, err := s.Enter(ctx, pass) // waits in the queue; s.Events tells the place
//	err = conn.Send(1, []byte("hello"))
//
// # What a Session does by itself
//
// One goroutine of its own holds the connection, answers nothing late and tells
// what happens through Events and Worlds:
//
//	signing in ─▶ up ──lost──▶ away ─wait─▶ signing in …
//	    │         │ ▲           │ a world has the player: wait until it lets go
//	    │         │ └───────────┘
//	    └─────────┴─ refused for good, kicked, replaced, Close ─▶ ended (Done, Err)
//
// A connection that breaks is dialled again after a random time below a bound that
// doubles (full jitter), or when the server has said so. It signs in with the token
// of the remembered device if there is one, else with what the first sign-in left
// of the password (see below). The list of worlds stays readable, marked stale, until
// the new one is there. While a Conn of this session is open, or Enter is at it, a
// lost login connection is left alone: to sign in anew would take the player out of
// the world.
//
// # Secrets
//
// The password is used for SRP-6a. For reconnecting the session keeps it in memory, and
// what was made of it, until it ends or Remember has returned nil. It never lies on a
// disk. It is derived once in a session: a server that asks for another salt or cost
// than before is not this one, and ends the session (ErrServerProof). With a TokenStore
// and Options.Remember the device is remembered, by a token that changes at every use:
// what was written before a crash always lets the next sign-in through, and a stolen
// copy ends the token for both. A sign-in by token never asks for another one. Nothing
// that this package prints, logs or returns as an error has a secret in it.
//
// Before the server has proven that it knows the password's verifier, or the token's
// key, nothing that it says is believed but a refusal. That one may be anybody's who can
// send on the way: it can end a sign-in, make the client wait a minute, drop a token
// and have the password asked for, and no more.
//
// # Updates
//
// A server may want the client updated before it lets it in. With Options.TakesUpdates
// that is an *UpdateOffer in the place of Login's error; without, ErrUpdate.
//
//	var offer *client.UpdateOffer
//	if errors.As(err, &offer) { // ask the player, then
//		path, err := c.Update(ctx, who, offer, client.DownloadOptions{Dir: dir})
//	}
//
// Nothing of the offer is believed before its numbers fit each other, no name in it leads
// out of the folder, and no byte is kept that is not in a chunk whose hash is right: what
// a crash, a broken connection or a player's no leaves is checked anew by the next try,
// which goes on from there. A download has less than 300 KiB in memory, whatever the
// file's size. An offer keeps its connection, and a goroutine that pings, until Download
// has returned or Close was called. To run the file is the game's.
//
// # Who may call what
//
// Everything exported may be called from any goroutine, and every call that waits
// takes a context, but for Conn.Send, which waits no longer than Options.Timeout.
// Of what is handed in, Credentials.Code and the TokenStore are called from Login's
// caller at first and from the session's goroutines later, never twice at once for one
// session; Dialer, Random and Logger from anywhere. A Session has two goroutines, a Conn
// has two; Close ends them and waits for it. Only a derivation of the password cannot be
// broken off: what waits for it returns when its context ends, and it finishes behind.
// Time is the runtime's, and not handed in: tests run whole sessions in
// testing/synctest, where it jumps.
//
// # What it does not do
//
// It does not guard against two devices that use copies of one token: the second looks
// like a thief and the token is revoked. Processes that share a store take turns, where
// it is a TokenLocker, as FileTokens is; with another one the second looks like a thief
// too, or has lost a race and is told ErrBusy. It shows texts of the
// operator (Notice, World.Name) as they came; a terminal has to strip what it does not want.
package client
