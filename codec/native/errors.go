package native

import (
	"errors"

	"gatepass/codec"
)

// Errors of replies that cannot be sent.
var (
	// ErrPhase: the reply is not valid in the client's present state.
	ErrPhase = errors.New("native: not the time for this reply")
	// ErrBody: the body is longer than MaxServerBody.
	ErrBody = errors.New("native: reply too long")
	// ErrWorn: the channel has sealed or opened MaxFrames, or has failed.
	ErrWorn = errors.New("native: channel is worn out")
)

// SealViolation is the Message of a violation on a sealed channel: the frame is not the next
// one of this channel. It was changed, cut, repeated or reordered, or is of another channel.
// No field of a frame has this number.
const SealViolation byte = 0xFF

// Violations of a client. The values are shared, so that invalid input causes no allocation,
// and must not be changed. Message is the number of the body's field in its frame, 0 if there
// is none.
var (
	brokenSeal = &codec.Violation{Message: SealViolation, Result: codec.ResultProtocol, Forged: true, Cause: "frame does not open"}
	badLength  = wrong(0, "frame empty or too long")
	badWire    = wrong(0, "frame is no protobuf message")
	noBody     = wrong(0, "frame without a body that is known")
	outOfTurn  = wrong(0, "message does not come here")
)

// wrong returns a violation that is reported to the client as a protocol error.
func wrong(field byte, cause string) *codec.Violation {
	return &codec.Violation{Message: field, Result: codec.ResultProtocol, Cause: cause}
}
