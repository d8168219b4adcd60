// Package keyschedule draws every key of the native protocol from the few secrets
// that its two sides share, by HKDF with SHA-256 (RFC 5869). docs/native-protocol.md
// has it with worked examples. Client, login server and gate call the same functions.
//
//	S (SRP-6a) ─┐ both nonces, transcript
//	token ──────┴─▶ channel keys, session secret ─▶ pass key (world, pass) ─▶ proofs, channel keys at the gate
//
// All functions are pure and may be called from any goroutine.
package keyschedule

// Keys are what a sign-in leaves both sides with.
type Keys struct {
	// ToServer and ToClient seal the two directions of the channel.
	ToServer, ToClient [32]byte
	// Session is what pass keys are drawn from.
	Session [32]byte
	// Proof is the server's, after a sign-in by token; clients know by it that the
	// server has the token's key. After a password M2 says that.
	Proof [32]byte
}
