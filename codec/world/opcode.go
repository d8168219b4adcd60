package world

// The opcodes, under the field's own names: CMSG from the client, SMSG from the
// server.
const (
	// CMSGCharEnum asks for the characters; it has no body.
	CMSGCharEnum = 0x037
	// SMSGCharEnum lists them.
	SMSGCharEnum = 0x03B
	// CMSGPing comes every half minute from a client that is in.
	CMSGPing = 0x1DC
	// SMSGPong answers it.
	SMSGPong = 0x1DD
	// SMSGAuthChallenge comes first, from the server.
	SMSGAuthChallenge = 0x1EC
	// CMSGAuthSession answers it.
	CMSGAuthSession = 0x1ED
	// SMSGAuthResponse lets in, refuses, or tells the place in the queue.
	SMSGAuthResponse = 0x1EE
)

// opAuthSession is what a codec.Violation has room for of CMSGAuthSession: its low
// byte.
const opAuthSession = CMSGAuthSession & 0xFF
