package world

import (
	"errors"

	"gatepass/codec"
)

// Errors of calls with invalid arguments or at the wrong time.
var (
	// ErrBuilds: there are no builds, or they are not all of one known era.
	ErrBuilds = errors.New("world: a gate takes builds of one era")
	// ErrName: a client needs an account name.
	ErrName = errors.New("world: empty account name")
	// ErrAddonSize: the announced list of add-ons is longer than MaxAddonSize.
	ErrAddonSize = errors.New("world: list of add-ons too long")
	// ErrBody: the body is longer than MaxBody or MaxReplyBody.
	ErrBody = errors.New("world: packet too long")
	// ErrKey: the key was given before the client's CMSG_AUTH_SESSION, or a second time.
	ErrKey = errors.New("world: not the time for a session key")
	// ErrNoKey: only the challenge and refusals are sent without a key.
	ErrNoKey = errors.New("world: no session key yet")
)

// Violations of a peer. The values are shared, so that invalid input causes no allocation, and
// must not be changed. Message is the low byte of the opcode, 0 if the header itself is wrong.
var (
	badClientSize   = silent(0, "packet shorter than its opcode or too long")
	badOpcode       = silent(0, "opcode out of range")
	badServerSize   = silent(0, "packet shorter than its opcode or too long")
	notAuthSession  = silent(0, "first packet is not CMSG_AUTH_SESSION")
	afterTheEnd     = silent(0, "client was refused already")
	badName         = refused(codec.ResultBadCredentials, "account name empty or too long")
	badForeignBuild = refused(codec.ResultVersionInvalid, "build not taken, layout unknown")
	badAuthSession  = silent(opAuthSession, "body does not fit the layout")
	badAddons       = silent(opAuthSession, "list of add-ons too long")
	badChallenge    = silent(SMSGAuthChallenge&0xFF, "body does not fit the layout")
	badResponse     = silent(SMSGAuthResponse&0xFF, "body does not fit the layout")
	badPing         = silent(CMSGPing&0xFF, "body does not fit the layout")
	badPong         = silent(SMSGPong&0xFF, "body does not fit the layout")
	badCharEnum     = silent(SMSGCharEnum, "body does not fit the layout")
)

// refused returns a violation of CMSG_AUTH_SESSION that gets an answer.
func refused(result codec.Result, cause string) *codec.Violation {
	return &codec.Violation{Message: opAuthSession, Result: result, Cause: cause}
}

// silent returns a violation that gets no answer.
func silent(op byte, cause string) *codec.Violation {
	return &codec.Violation{Message: op, Cause: cause}
}
