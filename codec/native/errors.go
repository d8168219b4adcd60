package native

import (
	"errors"

	"gatepass/codec"
)

// What a caller may ask for that cannot be had.
var (
	// ErrPhase: the client has not come to where it could be told that, or is past it.
	ErrPhase = errors.New("native: not the time for this reply")
	// ErrBody: the body is longer than MaxServerBody.
	ErrBody = errors.New("native: reply too long")
	// ErrWorn: the channel has carried MaxFrames, or has failed.
	ErrWorn = errors.New("native: channel is worn out")
)

// SealViolation is the Message of a violation that says that a frame of a sealed
// channel is not the one that has to come next: it was changed, cut, repeated,
// reordered or is of another channel. It is no field of a frame.
const SealViolation byte = 0xFF

// What a client may do wrong. The values are shared, so that a stranger's garbage
// costs no allocation, and never changed. Message is the number of the body's field
// in its frame, 0 where there is none.
var (
	brokenSeal = &codec.Violation{Message: SealViolation, Result: codec.ResultProtocol, Forged: true, Cause: "frame does not open"}
	badLength  = wrong(0, "frame empty or too long")
	badWire    = wrong(0, "frame is no protobuf message")
	noBody     = wrong(0, "frame without a body that is known")
	outOfTurn  = wrong(0, "message does not come here")
)

// wrong is a violation that the client is told as one of the protocol.
func wrong(field byte, cause string) *codec.Violation {
	return &codec.Violation{Message: field, Result: codec.ResultProtocol, Cause: cause}
}
