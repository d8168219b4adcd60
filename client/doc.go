// Package client is the library that a game embeds to sign a player in over the native
// protocol, to show the current list of worlds, to select a world and to enter it.
//
//	c, err := client.Dial(ctx, "login.example", client.Options{Build: 1})
//	s, err := c.Login(ctx, client.Credentials{Account: "ana", Password: "…"})
//	defer s.Close()
//	for _, w := range s.Worlds().All() { … }
//	pass, err := s.Select(ctx, 3)
//	conn, err := s.Enter(ctx, pass) // waits in the queue; s.Events has the position
//	err = conn.Send(1, []byte("hello"))
//
// # What a Session does by itself
//
// A goroutine of the session owns the connection to the login server. It reports what
// happens through Events and Worlds:
//
//	signing in ─▶ up ──lost──▶ away ─wait─▶ signing in …
//	    │         │ ▲           │ the player is in a world: wait until the player leaves
//	    │         │ └───────────┘
//	    └─────────┴─ refused for good, kicked, replaced, Close ─▶ ended (Done, Err)
//
// A lost connection is dialled again after a random time below a bound that doubles (full
// jitter), or at the time that the server has given. The session then signs in with the
// token of the remembered device if there is one, and otherwise with the password (see
// below). The old list of worlds stays readable, marked stale, until the new one arrives.
// While a Conn of this session is open or Enter runs, a lost connection is not dialled
// again, because a new sign-in would remove the player from the world.
//
// # Secrets
//
// The password is used for SRP-6a. To reconnect, the session keeps it and values derived
// from it in memory, until the session ends or Remember has returned nil. It is never
// written to a disk. The derivation runs once in a session: a server that asks for another
// salt or cost than before is not the same server, and the session ends
// (ErrServerProof).
//
// With a TokenStore and Options.Remember the device is remembered, by a token that changes
// at every use. After a crash, the stored token still works for the next sign-in. If a
// stolen copy is used, the token ends for both devices. A sign-in by token never requests
// another token. Nothing that this package prints, logs or returns as an error contains a
// secret.
//
// Until the server has proven that it knows the password's verifier or the token's key,
// only a refusal is accepted from it. Anybody on the network path can forge that refusal.
// It can end a sign-in, make the client wait for a minute, and drop a token so that the
// password is needed. It can do nothing else.
//
// # Updates
//
// A server may require an update before it accepts the client. Login then returns an
// *UpdateOffer as its error with Options.TakesUpdates, and ErrUpdate without.
//
//	var offer *client.UpdateOffer
//	if errors.As(err, &offer) { // ask the player, then
//		path, err := c.Update(ctx, who, offer, client.DownloadOptions{Dir: dir})
//	}
//
// An offer is used only if its numbers are consistent. No name in it can lead out of the
// folder. Only chunks with the right hash are kept: after a crash, a broken connection or a
// cancel, the next download checks what is there and continues behind it. A download uses
// less than 300 KiB of memory for any file size. An offer keeps its connection, with a
// goroutine that pings, until Download has returned or Close was called. The game runs the
// file.
//
// # Who may call what
//
// Everything exported may be called from any goroutine. Every call that waits takes a
// context, except Conn.Send, which waits for Options.Timeout at most. Credentials.Code and
// the TokenStore are called from Login's goroutine first and from the session's goroutines
// later, but never at the same time for one session. Dialer, Random and Logger may be
// called from any goroutine.
//
// A Session has two goroutines, and a Conn has two. Close ends them and waits until they
// have ended. Only a derivation of the password cannot be interrupted: a call that waits for
// it returns when its context ends, and the derivation ends later. Time is that of the
// runtime: tests run whole sessions in testing/synctest.
//
// # What it does not do
//
// It does not support copies of one token on two devices: the second use looks like theft,
// and the server revokes the token. Processes that share a TokenLocker, such as FileTokens,
// take turns. With another store, the second process looks like a thief too, or loses a race
// and gets ErrBusy. Texts of the operator (Notice, World.Name) are not changed; a terminal
// must remove control characters from them.
package client
