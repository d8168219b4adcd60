// Package srp6 proves passwords the way grunt clients do: SRP-6 over the one 256-bit group they have built in, with
// SHA-1, a 40-byte session key and a proof in each direction. It owns the numbers and nothing else: no account, no
// connection, no clock, and no randomness of its own (random bytes are handed in).
//
// A login, seen from the server, and from which goroutine:
//
//	e := srp6.NewEphemeral(&random)      // b and g^b, ahead of time      a worker, < 1 µs
//	B := e.PublicKey(&account.Verifier)  // goes out with the challenge   wherever, < 0.1 µs
//	K, M2, err := e.Verify(&exchange)    // when A and M1 have come       a worker, about 6 µs
//	e.Wipe()
//
// and from the client:
//
//	c := srp6.NewClient(name, password, &random)
//	M1, err := c.Respond(&B, &salt)      // goes out with c.PublicKey()
//	err = c.CheckServer(&M2)             // only then is c.SessionKey() shared
//
// # What is done with secrets
//
// Passwords, verifiers, b, a, x and everything computed from them are secrets; names, salts, A, B and u = H(A B) are
// not, for they travel in the clear. What depends on a secret takes the same time and touches the same memory for all
// its values: limbs.go has no branches, table entries are read all and masked, exponents are read in fixed windows
// as wide as their type. Two places vary, and say so: raisePublic follows the bits of u, and interleave the number of leading
// zero bytes of S. Working copies of secrets are overwritten when they are done with, as far as Go lets a program do
// that (the compiler may have kept others).
//
// # How it is fast
//
// A residue is four 64-bit limbs in Montgomery form, in any of the forms below 2^256 (limbs). g has a table of its
// powers (generator), so that g^b is 37 multiplications and no squarings. Two backends do the multiplying: one in Go, and one in
// assembly for amd64 processors with BMI2, ADX and AVX2, where whole exponentiations stay in registers. Which one is
// used is found by cpuid when the program starts; the build tag purego leaves the assembly out. Tests run every
// vector through both.
//
// ../DESIGN.md has the reasons and the measurements.
package srp6
