package srp6a

import (
	"crypto/subtle"
	"fmt"
)

// Server is the server's half of one exchange: Challenge, then Verify, then Wipe. It is not
// safe for concurrent use, but each step may run on another goroutine. It prints as a fixed
// word.
type Server struct {
	// Name is the folded account name.
	Name     string
	Verifier Verifier
	// B has the length of the group's prime. Challenge sets it.
	B      []byte
	secret [32]byte
}

// Challenge starts the exchange with 32 random bytes. It stores them as the secret exponent
// and sets B. The verifier must be from NewVerifier or ParseVerifier. Constant time; about a
// sixth of a login's work.
func (s *Server) Challenge(random *[32]byte) {
	s.secret = *random
	s.B = s.Verifier.Group.suite().serverKey(s.Verifier.V, s.secret[:])
}

// Verify checks the client's proof. On success secret is PAD(S), which the caller
// wipes, and M2 the server's own proof. Otherwise both are zero and err is ErrPublicKey
// (A is not as long as N, or 0 modulo N) or ErrProof (the password is wrong). The same
// work is done, in the same time, whatever the outcome.
func (s *Server) Verify(A []byte, M1 *[32]byte) (secret []byte, M2 [32]byte, err error) {
	q := s.Verifier.Group.suite()
	// Compute with a key of the wrong size too, cut or padded, and refuse it afterwards.
	a := make([]byte, q.size())
	copy(a, A)
	u := q.scrambler(a, s.B)
	secret = q.serverSecret(&serverTerms{a: a, v: s.Verifier.V, u: u, secret: s.secret[:]})
	m1, m2 := q.proofs(&said{name: s.Name, salt: s.Verifier.Salt[:], a: a, b: s.B}, secret)
	matches := subtle.ConstantTimeCompare(m1, M1[:]) == 1
	switch {
	case len(A) != len(a), q.residue(a).IsZero() == 1:
		err = ErrPublicKey
	case !matches:
		err = ErrProof
	default:
		return secret, [32]byte(m2), nil
	}
	clear(secret)
	return nil, [32]byte{}, err
}

// Wipe overwrites the secret.
func (s *Server) Wipe() { clear(s.secret[:]) }

// String names the type; it never shows the secret.
func (s Server) String() string { return "server" }

// Format keeps every verb from showing the secret.
func (s Server) Format(f fmt.State, _ rune) { hidden(f, s.String()) }

// MarshalText keeps encoders that look for it from showing the verifier.
func (s Server) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
