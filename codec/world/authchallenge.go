package world

import (
	"encoding/binary"

	"gatepass/codec"
)

// AuthChallenge is SMSG_AUTH_CHALLENGE, the first packet of a connection, in the clear.
type AuthChallenge struct {
	// Seed is the server's seed for the client's digest.
	Seed [4]byte
	// Random is in 3.3.5 only. No client uses it.
	Random [32]byte
}

// AppendAuthChallenge writes the body.
func AppendAuthChallenge(dst []byte, e Era, c *AuthChallenge) []byte {
	if e != Era335 {
		return append(dst, c.Seed[:]...)
	}
	dst = binary.LittleEndian.AppendUint32(dst, 1) // always 1; its meaning is unknown
	dst = append(dst, c.Seed[:]...)
	return append(dst, c.Random[:]...)
}

// ParseAuthChallenge reads a whole body.
func ParseAuthChallenge(body []byte, e Era) (a AuthChallenge, err error) {
	c := codec.NewCursor(body)
	if e == Era335 {
		c.U32()
	}
	c.Copy(a.Seed[:])
	if e == Era335 {
		c.Copy(a.Random[:])
	}
	if c.Short() || c.Offset() != len(body) {
		return AuthChallenge{}, badChallenge
	}
	return a, nil
}
