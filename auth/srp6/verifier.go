package srp6

// NewVerifier makes the verifier of an account from its name and password, the case of both folded here. Any
// goroutine may call it; it takes the same time for all passwords of one length.
func NewVerifier(salt *Salt, name, password string) Verifier {
	h := passwordHash(name, password)
	v := NewVerifierFromHash(salt, &h)
	clear(h[:])
	return v
}

// NewVerifierFromHash makes the verifier from H(NAME ":" PASSWORD), the sha_pass_hash of a mangos database, so that
// its players keep their passwords. Any goroutine may call it.
func NewVerifierFromHash(salt *Salt, h *[20]byte) Verifier {
	return newVerifier(native, salt, h)
}

func newVerifier(f backend, salt *Salt, h *[20]byte) Verifier {
	x := privateKey(salt, h)
	power := raiseGenerator(f, x[:])
	plain := f.fromMontgomery(&power)
	clear(x[:])
	return Verifier(plain.bytes())
}

// NewSalt makes a salt of 32 random bytes with its highest and lowest bits set, as the mangos family makes them, so that
// the accounts of one store look alike. Servers that hash the shortest form of a number take it as well. (quirk 36)
func NewSalt(random *[32]byte) Salt {
	s := Salt(*random)
	s[0] |= 1
	s[31] |= 0x80
	return s
}
