package gate

import (
	"fmt"

	"gatepass/codec"
	"gatepass/codec/world"
)

// Refusal says why a client was not let in. What the client is told is coarser.
type Refusal uint8

const (
	// RefusalBuild: the world does not take that build.
	RefusalBuild Refusal = iota
	// RefusalName: no account can have that name.
	RefusalName
	// RefusalUnknown: nobody holds a key of that account.
	RefusalUnknown
	// RefusalForeign: whoever holds the key does not give it to this world.
	RefusalForeign
	// RefusalProof: the digest was not made with the account's key.
	RefusalProof
	// RefusalExpired: the key or pass was known and is over.
	RefusalExpired
	// RefusalBusy: the key was on its way elsewhere for too long.
	RefusalBusy
	// RefusalNoAnswer: the directory did not answer in time.
	RefusalNoAnswer
	// RefusalNoHolder: whoever holds the key did not answer in time.
	RefusalNoHolder
	// RefusalClaims: too many clients are getting their keys, in all or from that
	// network, or too many keys are here.
	RefusalClaims
	// RefusalQueueFull: the line is full.
	RefusalQueueFull
	// RefusalOnline: the account is here already and the rule is to refuse.
	RefusalOnline
	// RefusalEnded: the directory has ended the account meanwhile.
	RefusalEnded
	// RefusalDraining: the gate lets nobody in any more.
	RefusalDraining
	// RefusalSilent: the client has not introduced itself in time. It is told
	// nothing.
	RefusalSilent
	// RefusalOutOfPlace: the client said what makes no sense then. It is told
	// nothing.
	RefusalOutOfPlace
	// RefusalPassUsed: the pass has let somebody in before.
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

// refusalCodes are what clients are told; 0 for nothing. Whatever has to do with
// the account, its key or the proof is one and the same code, so that a stranger
// learns nothing by it.
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

// refusalResults are what native clients are told; ResultOK for nothing. Whatever
// has to do with the pass or its proof is one and the same.
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

// veiled are the refusals that are told after a time that is always the same.
// Those for want of a name, a build or room say nothing of the account.
var veiled = [RefusalCount]bool{
	RefusalUnknown: true, RefusalForeign: true, RefusalProof: true,
	RefusalExpired: true, RefusalEnded: true, RefusalPassUsed: true,
}
