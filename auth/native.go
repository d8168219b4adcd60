package auth

import (
	"fmt"
	"io"

	"gatepass/auth/keyschedule"
	"gatepass/auth/srp6a"
)

// NativeExchange is one key exchange of the native protocol. It goes to the pool
// with JobNativeChallenge and comes back, and once more with JobNativeProve; whoever
// has it owns it. It prints as a fixed word.
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
	// M2 and Keys are the outcome of JobNativeProve; zero after an error.
	M2   [32]byte
	Keys keyschedule.Keys
}

// String names the type; it never shows what is in it.
func (x NativeExchange) String() string { return "native-exchange" }

// Format keeps every verb from showing what is in it.
func (x NativeExchange) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, x.String()) }

// MarshalText keeps encoders that look for it (structured logs, JSON) from showing it.
func (x NativeExchange) MarshalText() ([]byte, error) { return []byte(x.String()), nil }

// Wipe overwrites the server's secret and the keys. Any goroutine that has it.
func (x *NativeExchange) Wipe() {
	x.Server.Wipe()
	x.Keys.Wipe()
}
