package codec

import (
	"errors"
	"fmt"
)

// ErrShort says that the bytes so far are the beginning of a message and more
// are needed. It is a state, not a fault: nothing was consumed, call again with
// more bytes.
var ErrShort = errors.New("codec: message not whole yet")

// Violation is what a peer did that its protocol forbids. The connection must
// be closed; Result says what it may be told first.
//
// Two violations are equal to errors.Is when Message and Result are: the text
// is for people.
type Violation struct {
	// Message is the wire opcode of the offending message.
	Message byte
	// Result is what the peer is told, or ResultOK to close without a word,
	// where the protocol has no fitting reply.
	Result Result
	// Forged says that the message was not what the peer had said: it was changed,
	// cut, repeated or reordered on the way. Only a sealed channel can tell.
	Forged bool
	// Cause says what was wrong, without any of the peer's bytes in it.
	Cause string
}

func (v *Violation) Error() string {
	return fmt.Sprintf("codec: message %#02x: %s", v.Message, v.Cause)
}

// Is makes errors.Is ignore the text.
func (v *Violation) Is(target error) bool {
	t, ok := target.(*Violation)
	return ok && t.Message == v.Message && t.Result == v.Result
}
