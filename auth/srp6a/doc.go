// Package srp6a proves passwords by SRP-6a in the groups of RFC 5054, with SHA-256, and
// with Argon2id between the password and x. It owns the numbers and nothing else: no
// account, no connection, no clock, and no randomness of its own (random bytes are
// handed in). docs/native-sign-in.md has the formulas, docs/native-examples.md worked examples.
//
// A sign-in, seen from the server, all on workers of a pool:
//
//	s := srp6a.Server{Name: name, Verifier: verifier}
//	s.Challenge(&random)                    // s.B goes out with the challenge
//	secret, M2, err := s.Verify(A, &M1)     // when A and M1 have come
//	s.Wipe()
//
// and from the client:
//
//	c := srp6a.NewClient(identity, &random)
//	A, M1, err := c.Respond(&challenge)     // runs Argon2id
//	err = c.CheckServer(&M2)                // only then is c.Secret() shared
//
// # A stored verifier
//
// Numbers of more than one byte are little-endian, but for V.
//
//	+-------------+-----------+--------------+------------+-----------+-----------+-------------+
//	| version (1) | group (2) | memoryKiB (4)| passes (1) | lanes (1) | salt (32) | V (group/8) |
//	+-------------+-----------+--------------+------------+-----------+-----------+-------------+
//
// The version is 1. V is big-endian, as long as the group's prime.
//
// # What is done with secrets
//
// Passwords, verifiers, a, b, x, S and what is computed from them are secret; names,
// salts, A, B and u are not, for they travel in the clear. All arithmetic on secrets is
// filippo.io/bigmod's, whose time does not depend on the values; the powers of g come
// from a table whose entries are all read (comb). The KDF's memory accesses depend on
// the password from the middle of its first pass on, as RFC 9106 has it; a server runs
// it only to make a verifier. Working copies are overwritten where bigmod lets a
// program reach them.
package srp6a
