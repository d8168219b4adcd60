package srp6

// NewVerifier returns the verifier of an account for its name and password. It folds the case
// of both. Any goroutine may call it; it takes the same time for all passwords of one length.
func NewVerifier(salt *Salt, name, password string) Verifier {
	h := passwordHash(name, password)
	v := NewVerifierFromHash(salt, &h)
	clear(h[:])
	return v
}

// NewVerifierFromHash returns the verifier for H(NAME ":" PASSWORD), which is the
// sha_pass_hash of a mangos database. So imported players keep their passwords. Any goroutine
// may call it.
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

// NewSalt returns a salt of 32 random bytes with its highest and lowest bits set. The mangos
// family does the same, so all accounts of one store look alike, and servers that hash the
// shortest form of a number accept the salt as well. (quirk 36)
func NewSalt(random *[32]byte) Salt {
	s := Salt(*random)
	s[0] |= 1
	s[31] |= 0x80
	return s
}
