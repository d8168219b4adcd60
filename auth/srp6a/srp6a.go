package srp6a

import (
	"errors"
	"fmt"
	"io"
)

// Errors of either side of the exchange.
var (
	// ErrPublicKey: the peer's public key has the wrong size or is 0 modulo N, which would
	// make the secret 0; or u is 0.
	ErrPublicKey = errors.New("srp6a: public key is not one of the group")
	// ErrProof: the peer does not know the password or the verifier.
	ErrProof = errors.New("srp6a: proof does not match")
	// ErrParams: the server asks for a group or a KDF that this client does not accept. It is
	// wrapped with the reason.
	ErrParams = errors.New("srp6a: parameters are refused")
	// ErrVerifier: the bytes are not a stored verifier.
	ErrVerifier = errors.New("srp6a: not a verifier")
)

// Params are chosen by the operator. They are stored in an account's verifier and sent to the
// client with every challenge.
type Params struct {
	Group Group
	KDF   KDF
}

// DefaultParams returns Group2048 and DefaultKDF.
func DefaultParams() Params { return Params{Group: Group2048, KDF: DefaultKDF()} }

// Validate reports every fault, with the name of its field.
func (p Params) Validate() error {
	var fault error
	if !p.Group.Valid() {
		fault = fmt.Errorf("group is %d, must be 2048, 3072 or 4096", p.Group)
	}
	return errors.Join(fault, p.KDF.Validate())
}

// hidden prints name for every verb, instead of a secret.
func hidden(s fmt.State, name string) { _, _ = io.WriteString(s, name) }
