package auth

import (
	"fmt"
	"io"

	"gatepass/auth/keyschedule"
	"gatepass/auth/srp6a"
)

// NativeExchange is one key exchange of the native protocol. The pool gets it with
// JobNativeChallenge and again with JobNativeProve, and gives it back in each Result. Only its
// present owner may use it. It prints as a fixed word.
type NativeExchange struct {
	// Server is the server's half: the account's name, parameters and verifier, the server's
	// secret and B. The pool sets secret and B.
	Server srp6a.Server
	// ClientNonce and ServerNonce are both sides' random bytes. The pool sets ServerNonce in
	// JobNativeChallenge.
	ClientNonce, ServerNonce [32]byte
	// A and M1 are the client's answer, and Transcript the hash of all messages, for
	// JobNativeProve.
	A          []byte
	M1         [32]byte
	Transcript [32]byte
	// M2 and Keys are the result of JobNativeProve; zero after an error.
	M2   [32]byte
	Keys keyschedule.Keys
}

// String names the type; it never shows the contents.
func (x NativeExchange) String() string { return "native-exchange" }

// Format prevents every verb from showing the contents.
func (x NativeExchange) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, x.String()) }

// MarshalText prevents encoders that use it (structured logs, JSON) from showing the contents.
func (x NativeExchange) MarshalText() ([]byte, error) { return []byte(x.String()), nil }

// Wipe overwrites the server's secret and the keys. The owner may call it from any goroutine.
func (x *NativeExchange) Wipe() {
	x.Server.Wipe()
	x.Keys.Wipe()
}
