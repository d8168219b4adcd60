package world

import (
	"encoding/binary"

	"gatepass/codec"
)

// AuthChallenge is SMSG_AUTH_CHALLENGE, the first packet of all, in the clear.
type AuthChallenge struct {
	// Seed is the server's half of what the client's digest is made over.
	Seed [4]byte
	// Random is in 3.3.5 only, where nothing uses it.
	Random [32]byte
}

// AppendAuthChallenge writes the body.
func AppendAuthChallenge(dst []byte, e Era, c *AuthChallenge) []byte {
	if e != Era335 {
		return append(dst, c.Seed[:]...)
	}
	dst = binary.LittleEndian.AppendUint32(dst, 1) // always; nobody knows what it says
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
