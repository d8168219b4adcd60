package srp6a

import (
	"errors"
	"fmt"
	"io"
)

// Refusals, from either side of the exchange.
var (
	// ErrPublicKey: the peer's public key has the wrong size or is 0 modulo N, which
	// would fix the secret at 0; or u is 0.
	ErrPublicKey = errors.New("srp6a: public key is not one of the group")
	// ErrProof: the peer does not know what it claims to know.
	ErrProof = errors.New("srp6a: proof does not match")
	// ErrParams: the server names a group or a function that this client does not work
	// with; it is wrapped with what is wrong.
	ErrParams = errors.New("srp6a: parameters are refused")
	// ErrVerifier: the bytes are not a stored verifier.
	ErrVerifier = errors.New("srp6a: not a verifier")
)

// Params are what an account's operator chooses: they stand in its verifier, and go to
// the client with every challenge.
type Params struct {
	Group Group
	KDF   KDF
}

// DefaultParams are Group2048 and DefaultKDF.
func DefaultParams() Params { return Params{Group: Group2048, KDF: DefaultKDF()} }

// Validate reports every fault, by the name of its field.
func (p Params) Validate() error {
	var fault error
	if !p.Group.Valid() {
		fault = fmt.Errorf("group is %d, must be 2048, 3072 or 4096", p.Group)
	}
	return errors.Join(fault, p.KDF.Validate())
}

// hidden is what secrets show of themselves: name, whatever the verb.
func hidden(s fmt.State, name string) { _, _ = io.WriteString(s, name) }
