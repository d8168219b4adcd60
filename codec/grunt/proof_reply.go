package grunt

import (
	"encoding/binary"

	"gatepass/codec"
)

// failureTail is the end of a refused proof from Layout5 on. mangos and TrinityCore send 3,
// others 0; no known client reads it.
const failureTail = 3

// AppendProofReply writes the answer to a logon proof: 26, 28 or 32 bytes, depending on the
// layout, if r.Result accepts, and 2 or 4 if it refuses.
func AppendProofReply(dst []byte, l Layout, r *codec.Reply) []byte {
	if r.Result != codec.ResultOK {
		return appendProofFailure(dst, l, CodeOf(r.Result, l))
	}
	dst = append(dst, opLogonProof, byte(CodeSuccess))
	dst = append(dst, r.M2[:]...)
	if l >= Layout8 {
		dst = binary.LittleEndian.AppendUint32(dst, r.AccountFlags)
	}
	dst = binary.LittleEndian.AppendUint32(dst, r.SurveyID)
	if l >= Layout5 {
		dst = binary.LittleEndian.AppendUint16(dst, r.LoginFlags)
	}
	return dst
}

// appendProofFailure writes a refusal. For 1.x it writes no tail, because such a client would
// read the 3 as the result.
func appendProofFailure(dst []byte, l Layout, code Code) []byte {
	dst = append(dst, opLogonProof, byte(code))
	if l.hasTail() && !isBare(code) {
		dst = binary.LittleEndian.AppendUint16(dst, failureTail)
	}
	return dst
}

// isBare reports whether a refused proof ends after its code for every client. That is so for
// the two version results; after the second one a transfer offer follows at once.
func isBare(code Code) bool {
	return code == CodeVersionInvalid || code == CodeVersionUpdate
}

// ParseProofReply reads the server's answer to a logon proof. In Layout5 and Layout6 some
// servers send a refusal with a tail, others without. So two bytes are a whole refusal unless
// four are there. Only the end of the connection follows a refusal, so a tail that arrives
// later does no harm.
func ParseProofReply(b []byte, l Layout) (codec.Reply, int, error) {
	if err := expect(b, opLogonProof); err != nil {
		return codec.Reply{}, 0, err
	}
	if len(b) < 2 {
		return codec.Reply{}, 0, codec.ErrShort
	}
	switch code := Code(b[1]); code {
	case CodeSuccess:
		return parseProofSuccess(b, l)
	case CodeSuccessSurvey:
		// Sources disagree whether a body follows, and no server sends this. A client that
		// guesses would trust a server without a proof.
		return codec.Reply{}, 0, badProofCode
	default:
		return parseProofFailure(b, l, code)
	}
}

func parseProofSuccess(b []byte, l Layout) (codec.Reply, int, error) {
	r := codec.Reply{Kind: codec.ReplyLogonProof}
	c := codec.NewCursor(b)
	c.U16()
	c.Copy(r.M2[:])
	if l >= Layout8 {
		r.AccountFlags = c.U32()
	}
	r.SurveyID = c.U32()
	if l >= Layout5 {
		r.LoginFlags = c.U16()
	}
	if c.Short() {
		return codec.Reply{}, 0, codec.ErrShort
	}
	return r, c.Offset(), nil
}

func parseProofFailure(b []byte, l Layout, code Code) (codec.Reply, int, error) {
	n := 2
	if l.hasTail() && !isBare(code) && (l >= Layout8 || len(b) >= 4) {
		n = 4
	}
	if len(b) < n {
		return codec.Reply{}, 0, codec.ErrShort
	}
	return codec.Reply{Kind: codec.ReplyLogonProof, Result: code.Result()}, n, nil
}
