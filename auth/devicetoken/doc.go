// Package devicetoken proves that a device was signed in before, without a password and
// without big-number work. It owns the proof and nothing else: no store, no clock, and
// no randomness of its own.
//
// A token is a family (16 bytes that name it), a key that the server draws once, and a
// secret that the client draws anew for each sign-in. The server stores the key and
// SHA-256 of the secret, so that what it stores signs nobody in. A proof opens with the
// key, shows the secret, and brings the hash of the next one; the server has stored that
// hash before it answers, and so each secret is good once.
//
//	client                                        server
//	sealed := Seal(key, exchange, proof)  ---->   proof, err := Open(key, exchange, sealed)
//	                                              proof.Opens(verifier)? store proof.Next
//
// A client that did not hear how its last sign-in ended has two secrets, and cannot know
// which of them the server has. It shows both: the other one is the fallback.
//
// What the server makes of it:
//
//	does not open         somebody without the key: refused, nothing else happens
//	opens, neither fits   a secret that was used already, so two have the token: the family is revoked
//	opens, one fits       accepted; the next verifier takes the place of the old
//
// All functions may be called from any goroutine.
package devicetoken
