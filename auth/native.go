package auth

import (
	"gatepass/auth/keyschedule"
	"gatepass/auth/srp6a"
)

// NativeExchange is one key exchange of the native protocol. It goes to the pool
// with JobNativeChallenge and comes back, and once more with JobNativeProve; whoever
// has it owns it.
type NativeExchange struct {
	// Server is what the server knows and has said: who logs in, with which
	// parameters and verifier, its secret and B. The pool fills in secret and B.
	Server srp6a.Server
	// ClientNonce and ServerNonce are both sides' random bytes; the pool draws the
	// server's with JobNativeChallenge.
	ClientNonce, ServerNonce [32]byte
	// A and M1 are the client's answer, Transcript the hash of all that was said, for
	// JobNativeProve.
	A          []byte
	M1         [32]byte
	Transcript [32]byte
	// M2 and Keys are the outcome of JobNativeProve.
	M2   [32]byte
	Keys keyschedule.Keys
}
