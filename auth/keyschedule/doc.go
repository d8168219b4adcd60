// Package keyschedule draws every key of the native protocol from the few secrets
// that its two sides share, by HKDF with SHA-256 (RFC 5869). docs/native-sign-in.md
// has the formulas, docs/native-examples.md worked examples. Client, login server and gate call the same functions.
//
//	S (SRP-6a) --+ both nonces, transcript
//	token -------+-> channel keys, session secret --> pass key (world, pass) --> proofs, channel keys at the gate
//
// The nonces are the salt: each sign-in has keys of its own, whatever the secret. The
// transcript stands in the info: two sides that were told different things have
// different keys, and the first sealed frame tells them so. Every key has a label, so
// that none can be taken for another.
//
// All functions are pure and may be called from any goroutine. Whoever gets a key wipes
// it; what is kept here on the way is wiped here.
package keyschedule
