package native

import "fmt"

// phase is how far a session has come.
type phase uint8

const (
	// phaseStart: connected. A client speaks first to a login server, a gate speaks
	// first to its client.
	phaseStart phase = iota
	// phaseGreeted: the client has said who it is; the server's challenge is next.
	phaseGreeted
	// phasePassword, phaseToken and phasePass: the challenge is out; the client's
	// proof is next, of its password, its token or its pass.
	phasePassword
	phaseToken
	phasePass
	// phaseProving: the proof is here. What comes next cannot be read before the
	// server knows the keys.
	phaseProving
	// phaseOpen: every frame is sealed.
	phaseOpen
	// phaseOver: the client was sent away; nothing is read or said any more.
	phaseOver
)

var phaseNames = [...]string{"start", "greeted", "password", "token", "pass", "proving", "open", "over"}

func (p phase) String() string {
	if int(p) < len(phaseNames) {
		return phaseNames[p]
	}
	return fmt.Sprintf("phase(%d)", uint8(p))
}
