package native

import "fmt"

// phase is the state of a session.
type phase uint8

const (
	// phaseStart: connected. The client speaks first to a login server; a gate speaks first to
	// its client.
	phaseStart phase = iota
	// phaseGreeted: the client has sent SignIn; the server's challenge is next.
	phaseGreeted
	// phasePassword, phaseToken and phasePass: the challenge was sent. The client's proof of
	// its password, its token or its pass is next.
	phasePassword
	phaseToken
	phasePass
	// phaseProving: the proof was received. Further frames cannot be read before the server
	// knows the keys.
	phaseProving
	// phaseOpen: every frame is sealed.
	phaseOpen
	// phaseEnding: the transfer of a file has ended. The client's messages are read as before.
	// The only replies left are those that end the connection.
	phaseEnding
	// phaseOver: the client was refused or disconnected; nothing is read or sent any more.
	phaseOver
)

var phaseNames = [...]string{"start", "greeted", "password", "token", "pass", "proving", "open", "ending", "over"}

// sealed reports whether there is a sealed channel.
func (p phase) sealed() bool { return p == phaseOpen || p == phaseEnding }

func (p phase) String() string {
	if int(p) < len(phaseNames) {
		return phaseNames[p]
	}
	return fmt.Sprintf("phase(%d)", uint8(p))
}
