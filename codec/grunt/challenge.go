package grunt

import (
	"encoding/binary"

	"gatepass/codec"
)

const (
	// gameTag is "WoW" and a zero byte. It is the only tag that is not reversed.
	gameTag = "WoW\x00"

	challengeHead      = 4                  // up to and including the size field
	challengeFixed     = 30                 // after the size field, without the name
	challengeNameCount = challengeHead + 29 // offset of the name's length
	maxChallenge       = challengeHead + challengeFixed + codec.MaxName
)

// ParseChallenge reads a logon or reconnect challenge. Both have the same layout for every
// client. It ignores the game tag, because third-party clients send other values. A size field
// that fits no name is a violation as soon as it is there.
func ParseChallenge(b []byte) (codec.Kind, codec.Hello, int, error) {
	n, err := challengeLength(b)
	if err != nil {
		return codec.KindNone, codec.Hello{}, 0, err
	}
	name, ok := codec.NameOf(b[challengeNameCount+1 : n])
	if !ok {
		return codec.KindNone, codec.Hello{}, 0, badName[b[0]]
	}
	kind := codec.KindLogonChallenge
	if b[0] == opReconnectChallenge {
		kind = codec.KindReconnectChallenge
	}
	return kind, parseHello(b, name), n, nil
}

// parseHello reads the fixed fields of a whole challenge.
func parseHello(b []byte, name codec.Name) codec.Hello {
	c := codec.NewCursor(b)
	h := codec.Hello{Name: name}
	c.U8()
	h.Version = c.U8()
	c.U16()
	c.Bytes(len(gameTag))
	h.Major, h.Minor, h.Patch = c.U8(), c.U8(), c.U8()
	h.Build = c.U16()
	h.Platform, h.System, h.Locale = readTag(&c), readTag(&c), readTag(&c)
	h.TimeZone = int32(c.U32())
	c.Copy(h.ClaimedIP[:])
	return h
}

// challengeLength returns the length of the challenge at the front of b. It does not check the
// name's bytes. It checks each field as soon as it is there, so the result does not depend on
// how the stream is split.
func challengeLength(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, codec.ErrShort
	}
	op := b[0]
	if op != opLogonChallenge && op != opReconnectChallenge {
		return 0, unexpected[op]
	}
	if len(b) < challengeHead {
		return 0, codec.ErrShort
	}
	size := int(binary.LittleEndian.Uint16(b[2:]))
	switch {
	case size <= challengeFixed || size > challengeFixed+codec.MaxName:
		return 0, badChallengeSize[op]
	case len(b) <= challengeNameCount:
		return 0, codec.ErrShort
	case int(b[challengeNameCount]) != size-challengeFixed:
		return 0, badNameLength[op]
	case len(b) < challengeHead+size:
		return 0, codec.ErrShort
	}
	return challengeHead + size, nil
}

// AppendChallenge writes a challenge of the given kind, a logon or a reconnect challenge. It
// returns ErrName if the name is empty.
func AppendChallenge(dst []byte, kind codec.Kind, h *codec.Hello) ([]byte, error) {
	op := challengeOpcode(kind)
	name := h.Name.Bytes()
	if len(name) == 0 {
		return dst, ErrName
	}
	dst = append(dst, op, h.Version)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(challengeFixed+len(name)))
	dst = append(dst, gameTag...)
	dst = append(dst, h.Major, h.Minor, h.Patch)
	dst = binary.LittleEndian.AppendUint16(dst, h.Build)
	dst = appendTag(dst, h.Platform)
	dst = appendTag(dst, h.System)
	dst = appendTag(dst, h.Locale)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(h.TimeZone))
	dst = append(dst, h.ClaimedIP[:]...)
	dst = append(dst, byte(len(name)))
	return append(dst, name...), nil
}

func challengeOpcode(kind codec.Kind) byte {
	switch kind {
	case codec.KindLogonChallenge:
		return opLogonChallenge
	case codec.KindReconnectChallenge:
		return opReconnectChallenge
	}
	panic("grunt: " + kind.String() + " is not a challenge")
}

// readTag reads a tag into reading order. Padding is at the end of the result, whether it
// comes last on the wire, as usual, or first, as wowser sends it.
func readTag(c *codec.Cursor) (t codec.Tag) {
	var w codec.Tag
	c.Copy(w[:])
	n := unpadded(w)
	for i := range n {
		t[i] = w[n-1-i]
	}
	return t
}

// appendTag writes a tag reversed, with its padding at the end.
func appendTag(dst []byte, t codec.Tag) []byte {
	n := unpadded(t)
	var w codec.Tag
	for i := range n {
		w[i] = t[n-1-i]
	}
	return append(dst, w[:]...)
}

// unpadded returns the length of a tag without the zeros at its end.
func unpadded(t codec.Tag) int {
	n := len(t)
	for n > 0 && t[n-1] == 0 {
		n--
	}
	return n
}
