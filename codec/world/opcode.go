package world

// The opcodes, by their common names: CMSG from the client, SMSG from the server.
const (
	// CMSGCharEnum asks for the list of characters; it has no body.
	CMSGCharEnum = 0x037
	// SMSGCharEnum is the list of characters.
	SMSGCharEnum = 0x03B
	// CMSGPing is sent every half minute by an accepted client.
	CMSGPing = 0x1DC
	// SMSGPong answers CMSGPing.
	SMSGPong = 0x1DD
	// SMSGAuthChallenge is the server's first packet.
	SMSGAuthChallenge = 0x1EC
	// CMSGAuthSession answers SMSGAuthChallenge.
	CMSGAuthSession = 0x1ED
	// SMSGAuthResponse accepts or refuses the client, or has its position in the queue.
	SMSGAuthResponse = 0x1EE
)

// opAuthSession is the low byte of CMSGAuthSession, because a codec.Violation has room for one
// byte.
const opAuthSession = CMSGAuthSession & 0xFF
