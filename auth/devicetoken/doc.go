// Package devicetoken proves that a device was signed in before, without a password and
// without big-number arithmetic. It contains only the proof. It has no store and no clock, and
// callers pass in random bytes.
//
// A token is a family (16 bytes that identify it), a key that the server makes once, and a
// secret that the client makes for each sign-in. The server stores the key and the SHA-256 of
// the secret, so the stored data alone is not enough to sign in. A proof opens with the key.
// It contains the secret and the hash of the next one. The server stores that hash before it
// answers, so each secret is valid once.
//
//	client                                        server
//	sealed := Seal(key, exchange, proof)  ---->   proof, err := Open(key, exchange, sealed)
//	                                              proof.Opens(verifier)? store proof.Next
//
// A client that did not receive the result of its last sign-in has two secrets, and does not
// know which of them the server has. It sends both; the second one is the fallback.
//
// What the server does with a proof:
//
//	does not open         somebody without the key: refused, nothing else happens
//	opens, neither fits   a secret that was used already, so two have the token: the family is revoked
//	opens, one fits       accepted; the next verifier takes the place of the old
//
// All functions may be called from any goroutine.
package devicetoken
