package grunt

import (
	"encoding/binary"

	"gatepass/codec"
)

// The group that every client and server of the protocol uses. Longer primes crash clients, so
// the server always writes this group and a client accepts no other.
const (
	groupG = 7
	// groupN is the prime, least significant byte first.
	groupN = "\xb7\x9b\x3e\x2a\x87\x82\x3c\xab\x8f\x5e\xbf\xbf\x8e\xb1\x01\x08" +
		"\x53\x50\x06\x29\x8b\x5b\xad\xbd\x5b\x53\xe1\x89\x5e\x64\x4b\x89"
)

// AppendChallengeReply writes the answer to a logon challenge: the fields of the challenge, or
// three bytes if r.Result refuses. It returns ErrFactor if r asks for a second factor that
// layout l does not have.
func AppendChallengeReply(dst []byte, l Layout, r *codec.Reply) ([]byte, error) {
	if r.Result != codec.ResultOK {
		return append(dst, opLogonChallenge, 0, byte(CodeOf(r.Result, l))), nil
	}
	ch := &r.Challenge
	if ch.Factors&^l.Factors() != 0 {
		return dst, ErrFactor
	}
	dst = append(dst, opLogonChallenge, 0, byte(CodeSuccess))
	dst = append(dst, ch.B[:]...)
	dst = append(dst, 1, groupG, byte(len(groupN)))
	dst = append(dst, groupN...)
	dst = append(dst, ch.Salt[:]...)
	dst = append(dst, ch.CRCSalt[:]...)
	if !l.hasFlags() {
		return dst, nil
	}
	return appendFactorSeeds(append(dst, byte(ch.Factors)), ch), nil
}

// appendFactorSeeds writes the fields after the security flags, in wire order.
func appendFactorSeeds(dst []byte, ch *codec.Challenge) []byte {
	if ch.Factors&codec.FactorPIN != 0 {
		dst = binary.LittleEndian.AppendUint32(dst, ch.PINSeed)
		dst = append(dst, ch.PINSalt[:]...)
	}
	if ch.Factors&codec.FactorMatrix != 0 {
		dst = append(dst, ch.MatrixWidth, ch.MatrixHeight, ch.MatrixDigits, ch.MatrixCells)
		dst = binary.LittleEndian.AppendUint64(dst, ch.MatrixSeed)
	}
	if ch.Factors&codec.FactorToken != 0 {
		dst = append(dst, 1)
	}
	return dst
}

// ParseChallengeReply reads the server's answer to a logon challenge. A group other than the
// well-known one is a violation, because a client should accept no other. It does not check B.
func ParseChallengeReply(b []byte, l Layout) (codec.Reply, int, error) {
	r := codec.Reply{Kind: codec.ReplyLogonChallenge}
	if err := expect(b, opLogonChallenge); err != nil {
		return codec.Reply{}, 0, err
	}
	c := codec.NewCursor(b)
	c.U8()
	reserved, code := c.U8(), Code(c.U8())
	switch {
	case reserved != 0:
		return codec.Reply{}, 0, badReserved
	case c.Short():
		return codec.Reply{}, 0, codec.ErrShort
	case code == CodeSuccessSurvey:
		return codec.Reply{}, 0, badChallengeCode
	case code != CodeSuccess:
		r.Result = code.Result()
		return r, c.Offset(), nil
	}
	if err := parseServerKey(&c, &r.Challenge, l); err != nil {
		return codec.Reply{}, 0, err
	}
	return r, c.Offset(), nil
}

// parseServerKey reads the body of a successful challenge reply.
func parseServerKey(c *codec.Cursor, ch *codec.Challenge, l Layout) error {
	c.Copy(ch.B[:])
	gLen, g, nLen := c.U8(), c.U8(), c.U8()
	if c.Short() {
		return codec.ErrShort
	}
	// Check the lengths before waiting for the bytes that they count.
	if gLen != 1 || g != groupG || int(nLen) != len(groupN) {
		return badGroup
	}
	n := c.Bytes(len(groupN))
	if n != nil && string(n) != groupN {
		return badGroup
	}
	c.Copy(ch.Salt[:])
	c.Copy(ch.CRCSalt[:])
	if l.hasFlags() {
		ch.Factors = codec.Factors(c.U8())
	}
	if ch.Factors&^l.Factors() != 0 {
		return badReplyFlags
	}
	parseFactorSeeds(c, ch)
	if c.Short() {
		return codec.ErrShort
	}
	return nil
}

// parseFactorSeeds reads the fields after the security flags.
func parseFactorSeeds(c *codec.Cursor, ch *codec.Challenge) {
	if ch.Factors&codec.FactorPIN != 0 {
		ch.PINSeed = c.U32()
		c.Copy(ch.PINSalt[:])
	}
	if ch.Factors&codec.FactorMatrix != 0 {
		ch.MatrixWidth, ch.MatrixHeight = c.U8(), c.U8()
		ch.MatrixDigits, ch.MatrixCells = c.U8(), c.U8()
		ch.MatrixSeed = c.U64()
	}
	if ch.Factors&codec.FactorToken != 0 {
		c.U8() // "required": no server sends the flag with a 0 here
	}
}
