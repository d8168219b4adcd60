// Package keyschedule derives every key of the native protocol from the secrets that both
// sides share, by HKDF with SHA-256 (RFC 5869). docs/native-sign-in.md has the formulas,
// docs/native-examples.md worked examples. Client, login server and gate call the same
// functions.
//
//	S (SRP-6a) --+ both nonces, transcript
//	token -------+-> channel keys, session secret --> pass key (world, pass) --> proofs, channel keys at the gate
//
// The nonces are the salt, so each sign-in has its own keys, even with the same secret. The
// transcript is in the info: if the two sides received different messages, their keys differ,
// and the first sealed frame does not open. Every key has a label, so no key can be used in
// place of another.
//
// All functions are pure and may be called from any goroutine. The caller wipes the keys that
// it gets. The functions wipe their own intermediate values.
package keyschedule
