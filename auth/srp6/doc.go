// Package srp6 proves passwords as grunt clients do: SRP-6 in the one 256-bit group of these
// clients, with SHA-1, a 40-byte session key and a proof in each direction. It contains only
// the arithmetic. It knows no accounts and no connections, has no clock, and callers pass in
// random bytes.
//
// A login on the server, and the goroutine of each step:
//
//	e := srp6.NewEphemeral(&random)      // b and g^b, ahead of time      a worker, < 1 µs
//	B := e.PublicKey(&account.Verifier)  // goes out with the challenge   any, < 0.1 µs
//	K, M2, err := e.Verify(&exchange)    // after A and M1 have arrived   a worker, about 6 µs
//	e.Wipe()
//
// and on the client:
//
//	c := srp6.NewClient(name, password, &random)
//	M1, err := c.Respond(&B, &salt)      // goes out with c.PublicKey()
//	err = c.CheckServer(&M2)             // only then is c.SessionKey() shared
//
// # What is done with secrets
//
// Passwords, verifiers, b, a, x and everything computed from them are secret. Names, salts, A,
// B and u = H(A B) are not, because they are sent in the clear. Code that depends on a secret
// takes the same time and accesses the same memory for all its values: limbs.go has no
// branches, all entries of a table are read and masked, and exponents are read in fixed
// windows over the full width of their type. There are two exceptions, and their comments say
// so: the time of raisePublic depends on the bits of u, and the time of interleave on the
// number of leading zero bytes of S. Working copies of secrets are overwritten after use, as
// far as Go allows it (the compiler may have made other copies).
//
// # How it is fast
//
// A residue is four 64-bit limbs in Montgomery form, in any of the forms below 2^256 (limbs).
// g has a table of its powers (generator), so g^b takes 37 multiplications and no squarings.
// There are two backends for multiplication: one in Go, and one in assembly for amd64
// processors with BMI2, ADX and AVX2, where whole exponentiations stay in registers. The
// program chooses by cpuid when it starts. The build tag purego excludes the assembly. Tests
// run every vector through both.
//
// ../DESIGN.md has the reasons and the measurements.
package srp6
