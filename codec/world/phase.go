package world

import "fmt"

// phase is the state of a session.
type phase uint8

const (
	// phaseStart: connected; the client must send CMSG_AUTH_SESSION, in the clear.
	phaseStart phase = iota
	// phaseWaiting: CMSG_AUTH_SESSION was received. Further packets cannot be read before
	// there is a key.
	phaseWaiting
	// phaseOpen: there is a key, and every header is encrypted.
	phaseOpen
	// phaseOver: the client was refused and may send nothing more.
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
