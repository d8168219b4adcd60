// Package srp6a proves passwords by SRP-6a in the groups of RFC 5054, with SHA-256. Argon2id
// derives x from the password. The package contains only the arithmetic. It knows no accounts
// and no connections, has no clock, and callers pass in random bytes. docs/native-sign-in.md
// has the formulas, docs/native-examples.md worked examples.
//
// A sign-in on the server, where workers of a pool do all steps:
//
//	s := srp6a.Server{Name: name, Verifier: verifier}
//	s.Challenge(&random)                    // s.B goes out with the challenge
//	secret, M2, err := s.Verify(A, &M1)     // when A and M1 have come
//	s.Wipe()
//
// and on the client:
//
//	c := srp6a.NewClient(identity, &random)
//	A, M1, err := c.Respond(&challenge)     // runs Argon2id
//	err = c.CheckServer(&M2)                // only then is c.Secret() shared
//
// # A stored verifier
//
// Numbers of more than one byte are little-endian, except V.
//
//	+-------------+-----------+--------------+------------+-----------+-----------+-------------+
//	| version (1) | group (2) | memoryKiB (4)| passes (1) | lanes (1) | salt (32) | V (group/8) |
//	+-------------+-----------+--------------+------------+-----------+-----------+-------------+
//
// The version is 1. V is big-endian and has the length of the group's prime.
//
// # What is done with secrets
//
// Passwords, verifiers, a, b, x, S and what is computed from them are secret. Names, salts, A,
// B and u are not, because they are sent in the clear. All arithmetic on secrets uses
// filippo.io/bigmod, whose time does not depend on the values. The powers of g come from a
// table of which all entries are read (comb). The KDF's memory accesses depend on the password
// after the first half of its first pass, as RFC 9106 defines it; a server runs the KDF only
// to make a verifier. Working copies are overwritten where bigmod gives access to them.
package srp6a
