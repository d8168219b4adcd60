package codec

import (
	"errors"
	"fmt"
)

// ErrShort says that the bytes are the beginning of a message and that more are needed. It is
// not a fault. Nothing was consumed: call again with more bytes.
var ErrShort = errors.New("codec: message not whole yet")

// Violation is an error of the peer against its protocol. The connection must be closed;
// Result is the answer that may be sent first.
//
// errors.Is treats two violations as equal if Message and Result are equal. It ignores the
// text, which is for people.
type Violation struct {
	// Message is the wire opcode of the offending message.
	Message byte
	// Result is the result to send to the peer. ResultOK means to close without a reply,
	// because the protocol has none that fits.
	Result Result
	// Forged says that the message was changed, cut, repeated or reordered on its way, so it
	// is not what the peer sent. Only a sealed channel can detect this.
	Forged bool
	// Cause is a text that says what was wrong. It has none of the peer's bytes in it.
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
