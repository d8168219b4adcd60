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
	// phaseEnding: the client has its file, or gets no more of it. It is heard as
	// before, and told only why it is sent away.
	phaseEnding
	// phaseOver: the client was sent away; nothing is read or said any more.
	phaseOver
)

var phaseNames = [...]string{"start", "greeted", "password", "token", "pass", "proving", "open", "ending", "over"}

// sealed tells whether there is a channel.
func (p phase) sealed() bool { return p == phaseOpen || p == phaseEnding }

func (p phase) String() string {
	if int(p) < len(phaseNames) {
		return phaseNames[p]
	}
	return fmt.Sprintf("phase(%d)", uint8(p))
}
