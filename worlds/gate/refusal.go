package gate

import (
	"fmt"

	"gatepass/codec"
	"gatepass/codec/world"
)

// Refusal is the reason why a client is not admitted. The client gets a coarser code.
type Refusal uint8

const (
	// RefusalBuild: the world does not accept that build.
	RefusalBuild Refusal = iota
	// RefusalName: the name is not a valid account name.
	RefusalName
	// RefusalUnknown: no node holds a key of that account.
	RefusalUnknown
	// RefusalForeign: the holder of the key does not give it to this world.
	RefusalForeign
	// RefusalProof: the digest was not made with the account's key.
	RefusalProof
	// RefusalExpired: the key or pass was known and has expired.
	RefusalExpired
	// RefusalBusy: the key was moving elsewhere for too long.
	RefusalBusy
	// RefusalNoAnswer: the directory did not answer in time.
	RefusalNoAnswer
	// RefusalNoHolder: the holder of the key did not answer in time.
	RefusalNoHolder
	// RefusalClaims: too many clients are getting their keys, in total or from that
	// network, or too many keys are here.
	RefusalClaims
	// RefusalQueueFull: the queue is full.
	RefusalQueueFull
	// RefusalOnline: the account is already here and the rule refuses the newer
	// connection.
	RefusalOnline
	// RefusalEnded: the directory has ended the account in the meantime.
	RefusalEnded
	// RefusalDraining: the gate admits no more clients.
	RefusalDraining
	// RefusalSilent: the client did not introduce itself in time. It gets no answer.
	RefusalSilent
	// RefusalOutOfPlace: the client's message was not valid in its state. It gets no
	// answer.
	RefusalOutOfPlace
	// RefusalPassUsed: the pass has been used before.
	RefusalPassUsed
	// RefusalCount is the number of refusals, for tables.
	RefusalCount
)

var refusalNames = [RefusalCount]string{
	"build", "name", "unknown", "foreign", "proof", "expired", "busy", "no-answer", "no-holder", "claims",
	"queue-full", "online", "ended", "draining", "silent", "out-of-place", "pass-used",
}

func (r Refusal) String() string {
	if r < RefusalCount {
		return refusalNames[r]
	}
	return fmt.Sprintf("refusal(%d)", uint8(r))
}

// refusalCodes are the codes for clients; 0 sends nothing. All refusals that depend on
// the account, its key or the proof have the same code, so that a stranger learns
// nothing.
var refusalCodes = [RefusalCount]uint8{
	RefusalBuild:     world.CodeVersionMismatch,
	RefusalName:      world.CodeFailed,
	RefusalUnknown:   world.CodeFailed,
	RefusalForeign:   world.CodeFailed,
	RefusalProof:     world.CodeFailed,
	RefusalExpired:   world.CodeFailed,
	RefusalEnded:     world.CodeFailed,
	RefusalPassUsed:  world.CodeFailed,
	RefusalBusy:      world.CodeUnavailable,
	RefusalNoAnswer:  world.CodeUnavailable,
	RefusalNoHolder:  world.CodeLoginServerNotFound,
	RefusalClaims:    world.CodeUnavailable,
	RefusalQueueFull: world.CodeUnavailable,
	RefusalOnline:    world.CodeAlreadyOnline,
	RefusalDraining:  world.CodeShuttingDown,
}

// refusalResults are the results for native clients; ResultOK sends nothing. All
// refusals that depend on the pass or its proof have the same result.
var refusalResults = [RefusalCount]codec.Result{
	RefusalBuild:      codec.ResultVersionInvalid,
	RefusalUnknown:    codec.ResultBadPass,
	RefusalProof:      codec.ResultBadPass,
	RefusalEnded:      codec.ResultBadPass,
	RefusalPassUsed:   codec.ResultBadPass,
	RefusalQueueFull:  codec.ResultFull,
	RefusalOnline:     codec.ResultAlreadyOnline,
	RefusalDraining:   codec.ResultGoingAway,
	RefusalOutOfPlace: codec.ResultProtocol,
}

// veiled are the refusals that are sent after a constant time. Refusals because of the
// name, the build or missing room reveal nothing about the account.
var veiled = [RefusalCount]bool{
	RefusalUnknown: true, RefusalForeign: true, RefusalProof: true,
	RefusalExpired: true, RefusalEnded: true, RefusalPassUsed: true,
}
