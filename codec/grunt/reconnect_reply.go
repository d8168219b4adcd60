package grunt

import "gatepass/codec"

// checksumSalt is the end of a successful reconnect challenge. The client's answer does not
// depend on it; mangos sends zeros.
const checksumSalt = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// AppendReconnectChallengeReply writes the answer to a reconnect challenge: 34 bytes, or 2 if
// r.Result refuses. It has no zero byte before the result, unlike the answer to a logon
// challenge.
func AppendReconnectChallengeReply(dst []byte, l Layout, r *codec.Reply) []byte {
	dst = append(dst, opReconnectChallenge, byte(CodeOf(r.Result, l)))
	if r.Result != codec.ResultOK {
		return dst
	}
	dst = append(dst, r.ReconnectData[:]...)
	return append(dst, checksumSalt...)
}

// ParseReconnectChallengeReply reads the server's answer to a reconnect challenge, which is
// the same for every client.
func ParseReconnectChallengeReply(b []byte) (codec.Reply, int, error) {
	if err := expect(b, opReconnectChallenge); err != nil {
		return codec.Reply{}, 0, err
	}
	r := codec.Reply{Kind: codec.ReplyReconnectChallenge}
	c := codec.NewCursor(b)
	c.U8()
	r.Result = Code(c.U8()).Result()
	if r.Result == codec.ResultOK {
		c.Copy(r.ReconnectData[:])
		c.Bytes(len(checksumSalt))
	}
	if c.Short() {
		return codec.Reply{}, 0, codec.ErrShort
	}
	return r, c.Offset(), nil
}

// AppendReconnectProofReply writes the answer to a reconnect proof: two bytes before Layout5,
// four from Layout5 on. A 1.x client that gets four later shows its player that the session
// has expired. Other servers send one length to all clients.
func AppendReconnectProofReply(dst []byte, l Layout, r *codec.Reply) []byte {
	return appendReconnectProofCode(dst, l, CodeOf(r.Result, l))
}

func appendReconnectProofCode(dst []byte, l Layout, code Code) []byte {
	dst = append(dst, opReconnectProof, byte(code))
	if l.hasTail() {
		dst = append(dst, 0, 0)
	}
	return dst
}

// ParseReconnectProofReply reads the server's answer to a reconnect proof.
func ParseReconnectProofReply(b []byte, l Layout) (codec.Reply, int, error) {
	if err := expect(b, opReconnectProof); err != nil {
		return codec.Reply{}, 0, err
	}
	c := codec.NewCursor(b)
	c.U8()
	code := Code(c.U8())
	if l.hasTail() {
		c.U16()
	}
	if c.Short() {
		return codec.Reply{}, 0, codec.ErrShort
	}
	return codec.Reply{Kind: codec.ReplyReconnectProof, Result: code.Result()}, c.Offset(), nil
}
