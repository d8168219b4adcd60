package world

import "fmt"

// phase is how far a session has come.
type phase uint8

const (
	// phaseStart: connected; CMSG_AUTH_SESSION comes first, in the clear.
	phaseStart phase = iota
	// phaseWaiting: it came. What comes next cannot be read before there is a key.
	phaseWaiting
	// phaseOpen: there is a key, and every header is encrypted.
	phaseOpen
	// phaseOver: the client was refused; nothing may come any more.
	phaseOver
)

func (p phase) String() string {
	switch p {
	case phaseStart:
		return "start"
	case phaseWaiting:
		return "waiting"
	case phaseOpen:
		return "open"
	case phaseOver:
		return "over"
	}
	return fmt.Sprintf("phase(%d)", uint8(p))
}
